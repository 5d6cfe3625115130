"""The projector as a process beside `tsuzuri serve`: what it loads, and how it says what troubles it."""

import json
import os
import subprocess
import sys
import time

import pytest

from tsuzuri.app.commands.serve import processes
from tsuzuri.app.logs import KEYS
from tsuzuri.app.projector_beside import project_on_and_on
from tsuzuri.app.settings import Settings

PATIENCE_SECONDS = 60.0
HEAVY = ("fhir", "graphql", "pydantic", "starlette", "strawberry", "uvicorn")


def test_it_does_not_load_what_only_the_api_needs() -> None:
    """What came in while nobody served is not shown until it has loaded: each of these takes a while."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, tsuzuri.app.projector_beside; print(*sys.modules)"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "psycopg" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_what_troubles_it_is_said_in_lines_of_json_as_by_the_api(
    settings: Settings, empty_dsn: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A database that nobody has migrated lets no projector in."""
    out = told = ""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with processes(settings, empty_dsn, [project_on_and_on]):
        while "projector_waits" not in out + told and time.monotonic() < deadline:
            time.sleep(0.05)
            more = capfd.readouterr()
            out, told = out + more.out, told + more.err

    lines = [json.loads(line) for line in told.splitlines()]
    assert out == ""
    assert {line["event"] for line in lines} == {"projector_waits"}
    assert all(set(line) <= KEYS for line in lines)
