"""The rules that keep our folder names from hiding other people's packages."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ["app", "graphql", "projections", "eventlog", "domain"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_a_namespace_behind_a_link(room: str) -> None:
    link = ROOT / "src" / "tsuzuri" / room

    assert link.is_symlink()
    assert link.resolve() == (ROOT / room).resolve()
    assert not (ROOT / room / "__init__.py").exists()
    names = {path.stem for path in (ROOT / room).iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not names & sys.stdlib_module_names


def test_no_package_hides_the_namespace() -> None:
    assert not (ROOT / "src" / "tsuzuri" / "__init__.py").exists()
    assert not list((ROOT / "tests").rglob("__init__.py"))
    spec = find_spec("tsuzuri")
    assert spec is not None and spec.origin is None


@pytest.mark.parametrize("path", [None, ".", str(ROOT)])
def test_graphql_core_is_found_from_the_root(path: str | None) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    environment |= {} if path is None else {"PYTHONPATH": path}

    found = subprocess.run(
        [sys.executable, "-c", "import graphql, tsuzuri.graphql.schema; print(graphql.__file__)"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert (ROOT / "graphql") not in Path(found.stdout.strip()).parents


def test_most_files_are_small_and_none_is_large() -> None:
    lines = {
        path: len(path.read_text("utf-8").splitlines())
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
    }

    assert {str(path): n for path, n in lines.items() if n > 400} == {}
    assert sum(n <= 250 for n in lines.values()) > 0.9 * len(lines)
