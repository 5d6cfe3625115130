"""Imports follow the arrows: each room may reach the rooms to its right, and nothing else of ours."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ["app", "graphql", "projections", "eventlog", "domain"]  # each may import those to its right
FORBIDDEN = {
    "domain": {"psycopg", "psycopg_pool", "starlette", "strawberry", "graphql", "uvicorn", "eventsourcing"},
    "eventlog": {"starlette", "strawberry", "graphql", "fhir"},
    "projections": {"starlette", "strawberry", "graphql", "fhir"},
    "graphql": {"starlette", "uvicorn", "fhir"},
}
"""What a room knows nothing of, among other people's packages."""


def imported(source: str) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"
            yield from (f"{node.module}.{name.name}" for name in node.names if node.module == "tsuzuri")


def against_the_arrows(room: str, source: str) -> list[str]:
    """The imports of a file in *room* that it may not have."""
    allowed = ROOMS[ROOMS.index(room) :]
    wrong = []
    for module in imported(source):
        top, _, rest = module.partition(".")
        if module.startswith("."):
            wrong.append(module)
        elif top == "tsuzuri":
            if rest and rest.split(".")[0] not in allowed:
                wrong.append(module)
        elif top in ROOMS[:1] + ROOMS[2:] or top in FORBIDDEN.get(room, ()):
            wrong.append(module)
    return wrong


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_imports_follow_the_arrows(room: str) -> None:
    assert files(room)
    wrong = {
        str(path): found
        for path in files(room)
        if (found := against_the_arrows(room, path.read_text("utf-8")))
    }

    assert wrong == {}


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("domain", "from tsuzuri.eventlog.log import EventLog"),
        ("domain", "import psycopg"),
        ("eventlog", "from tsuzuri.projections import rows"),
        ("projections", "from tsuzuri import graphql"),
        ("graphql", "from tsuzuri.app.services import Services"),
        ("graphql", "def f():\n    from starlette.requests import Request"),
        ("app", "from domain.events import Event"),
        ("app", "from . import settings"),
    ],
)
def test_an_import_against_the_arrows_is_seen(room: str, line: str) -> None:
    assert against_the_arrows(room, line)


def test_only_the_fhir_room_reads_fhir() -> None:
    wrong = [
        str(path)
        for room in ROOMS
        for path in files(room)
        if any(module.startswith("fhir") for module in imported(path.read_text("utf-8")))
        and path.parent != ROOT / "domain" / "fhir"
    ]

    assert wrong == []
