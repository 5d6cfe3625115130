"""The servers that are compared, each a process that is asked over loopback; and what each is asked with."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.reading_data import Installation
from bench.reading_rows import FACILITY_ASKING
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.vocabulary import Role

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Served:
    """A server that answers."""

    name: str
    url: str
    pid: int


@contextmanager
def ours(installation: Installation, *options: str) -> Iterator[Served]:
    """The product; with "--unguarded", without consent and audit."""
    environment = os.environ | {
        "TSUZURI_HOME": str(installation.settings.home),
        "TSUZURI_MODE": "development",
        "TSUZURI_RATE": "off",  # one caller asks in the place of many
        "TSUZURI_OPERATIONS_MAX": "64",
        "TSUZURI_OPERATIONS_EACH": "64",
        "TSUZURI_BENCH_DATABASE": installation.dsn,
    }
    name = "ours, off" if "--unguarded" in options else "ours"
    with process([sys.executable, "-m", "bench.serving", *options], environment) as (started, port):
        yield Served(name, f"http://127.0.0.1:{port}/graphql", started.pid)


@contextmanager
def process(
    command: Sequence[str], environment: dict[str, str], folder: Path = ROOT
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server that prints its port when it answers, and ends with its standard input."""
    started = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what a request is told of in the log is written, and read by nobody
        text=True,
    )
    assert started.stdin is not None and started.stdout is not None
    try:
        told = started.stdout.readline().strip()
        assert told.isdigit(), f"{command[0]} did not start"
        yield started, int(told)
    finally:
        started.stdin.close()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        started.stdout.close()


def token(installation: Installation, role: Role) -> str:
    """Of a clinician at the facility that asks, or of an auditor: signed, and checked at each request."""
    facility = FACILITY_ASKING if role is Role.CLINICIAN else None
    return development_token(
        installation.settings, role=role, person=f"bench-{role.lower()}", facility=facility
    )
