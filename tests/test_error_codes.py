"""The table of error codes in docs/API.md is the codes that the program has."""

import ast
import re
from pathlib import Path

from graphql import GraphQLEnumType

from tsuzuri.graphql.schema import build_schema

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "API.md"
SAYING = [
    *(ROOT / "graphql").rglob("*.py"),
    *(ROOT / "app").glob("*.py"),
    *(ROOT / "app" / "actions").glob("*.py"),
]
CODE = re.compile(r"[A-Z]+(_[A-Z]+)+")
NAMED = {"BUSY", "FORBIDDEN", "INTERNAL", "UNAUTHENTICATED", "NOT_AVAILABLE"}
"""Codes of one word, and one that is a reason for a refusal too."""
NO_CODES = {"LC_ALL", "PG_VERSION", "SC_PAGE_SIZE", "TRAIL_READ"}


def words() -> set[str]:
    """Every text in capitals that a file of the two rooms holds and that is no setting and no value of an enum."""
    texts = {
        node.value
        for file in SAYING
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    values = {
        value
        for kind in build_schema()._schema.type_map.values()
        if isinstance(kind, GraphQLEnumType)
        for value in kind.values
    }
    capitals = {text for text in texts if CODE.fullmatch(text) and not text.startswith("TSUZURI_")}
    return (capitals - values - NO_CODES) | (texts & NAMED)


def listed() -> set[str]:
    rows = TABLE.read_text("utf-8").partition("## Errors")[2].splitlines()
    return {
        code
        for row in rows
        if row.startswith("| `")
        for code in re.findall(r"`([A-Z_]+)`", row.split("|")[1])
    }


def test_every_code_is_in_the_table_and_nothing_else_is() -> None:
    assert listed() == words()
