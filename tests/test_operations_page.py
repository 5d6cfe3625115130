"""The tables of docs/OPERATIONS.md name the metrics, checks and log lines that the program has, and no others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from psycopg import Connection

from log_examples import Run
from tsuzuri.app.admission import admissions
from tsuzuri.app.edge_metrics import EdgeMetrics
from tsuzuri.app.metrics import metrics
from tsuzuri.app.notices.place import sending
from tsuzuri.app.readiness import CHECKS, Health
from tsuzuri.app.request_metrics import RequestMetrics
from tsuzuri.app.services import Services
from tsuzuri.app.settings import Settings

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "OPERATIONS.md"
LOGGING = ("app", "eventlog", "graphql", "projections")
LOUD = frozenset({"error", "warning", "tell"})  # `tell` is one of the other two, as it turns out


def rows(first: str) -> Iterator[str]:
    """The first cell of each row of the tables whose first column is headed *first*."""
    inside = False
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[1] == first:
            inside = True
        elif inside and not cells[1].startswith("---"):
            yield cells[1]


def listed(first: str) -> list[str]:
    """`a_b`, `_c` is a_b and a_c."""
    names: list[str] = []
    for cell in rows(first):
        for name in re.findall(r"`([a-z_]+)`", cell):
            names.append(_continued(names[-1], name) if name.startswith("_") else name)
    return names


def _continued(before: str, ending: str) -> str:
    """*before* with as many of its last words replaced as *ending* has."""
    words = ending.removeprefix("_").split("_")
    return "_".join(before.split("_")[: -len(words)] + words)


def test_every_metric_is_in_a_table_and_nothing_else_is(
    run: Run, settings: Settings, connection: Connection[object]
) -> None:
    async def told(services: Services) -> str:
        operations, intake = admissions(settings)
        edge = EdgeMetrics(RequestMetrics(), {"graphql": operations, "bundles": intake})
        of_edge = edge.told(services, Health([], [], 0.0))
        return (metrics([], sending(connection), 1.0) + of_edge).decode()

    families = [family.name for family in text_string_to_metric_families(run(told))]

    assert sorted(listed("metric")) == sorted(name for name in families if name.startswith("tsuzuri_"))


def test_every_check_of_readyz_is_in_the_table_and_nothing_else_is() -> None:
    assert listed("check") == list(CHECKS)


def test_every_line_that_warns_is_in_the_table_and_nothing_else_is() -> None:
    said = {
        node.args[0].value
        for room in LOGGING
        for file in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and _is_loud(node.func)
        if node.args and isinstance(node.args[0], ast.Constant)
    }

    assert set(listed("line")) == said
    assert len(listed("line")) == len(said)


def _is_loud(called: ast.expr) -> bool:
    match called:
        case ast.Name(id=name):
            return name == "tell"
        case ast.Attribute(value=ast.Name(id="_log"), attr=name):
            return name in LOUD
    return False
