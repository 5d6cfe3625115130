"""docs/rules.md says what the rules say, and what was measured. TSUZURI_WRITE_GOLDEN=1 writes it anew."""

import os

import pytest

from conftest import shared_data
from rule_figures import figures
from rules_page import PAGE, figures_in, page

WRITE = bool(os.environ.get("TSUZURI_WRITE_GOLDEN"))
ANEW = "run once with TSUZURI_WRITE_GOLDEN=1 and read the difference"


def test_the_page_lists_every_rule_as_it_is() -> None:
    if WRITE:
        measured = figures(shared_data()) if shared_data().is_dir() else figures_in(PAGE.read_text("utf-8"))
        PAGE.write_text(page(measured), "utf-8")

    text = PAGE.read_text("utf-8")

    assert text == page(figures_in(text)), ANEW


@pytest.mark.realdata
def test_the_page_has_the_figures_as_measured() -> None:
    assert figures_in(PAGE.read_text("utf-8")) == figures(shared_data()), ANEW
