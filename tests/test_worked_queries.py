"""The page of worked queries shows documents that come along, as they are, to every kind of reader."""

import re
from pathlib import Path

from tsuzuri.app.trusted_documents import SHIPPED

PAGE = (Path(__file__).parents[1] / "docs" / "QUERIES.md").read_text("utf-8")
TEXTS = [file.read_text("utf-8").strip() for file in sorted(SHIPPED.glob("*.graphql"))]


def test_each_query_on_the_page_is_a_document_that_comes_along() -> None:
    unknown = []
    for block in re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL):
        rest = block
        for text in TEXTS:
            rest = rest.replace(text, "")
        unknown += [rest.strip()] if rest.strip() else []

    assert unknown == []


def test_each_kind_of_reader_finds_queries() -> None:
    headings = re.findall(r"^## (.*?):", PAGE, re.MULTILINE)

    for reader in ("clinician", "pharmacist", "patient", "administrator", "auditor", "operator", "system"):
        assert any(reader in heading for heading in headings), reader
