"""What the same database does when nobody stands before it: pgbench, running the statements that our server ran.

The server's log tells them, with their values, for a few patients; each patient's become a script of their own.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from bench.cpu import postmaster
from bench.reading_data import Installation
from bench.reading_queries import Asking, Query
from bench.reading_servers import ours
from bench.rounds import Measured, Slice
from tsuzuri.app.services import logins_of
from tsuzuri.eventlog.connecting import LogRole

PATIENTS = 4  # each of the clients plans each of their scripts once
CONNECTIONS = 16
WARM_SECONDS = 3  # in which it has planned them
_LOUD = {"log_statement": "all", "log_error_verbosity": "default"}  # with the values, which are invented here
_LINE = re.compile(r"^\S+ \S+ \S+ \[(\d+)\] (LOG|DETAIL):  (.*)", re.DOTALL)
_RUN = re.compile(r"(?:statement|execute [^:]+): (.*)", re.DOTALL)
_VALUE = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_PROGRESS = re.compile(r"^progress: [\d.]+ s, ([\d.]+) tps", re.MULTILINE)


class SameSqlFailed(Exception):
    """pgbench could not run what our server ran."""


def statements(installation: Installation, query: Query) -> list[list[str]]:
    """What our server, without consent and audit, runs for each of a few patients when it has met the query before."""
    log = installation.settings.home / "postgres" / "server.log"
    found = []
    with _logged(installation.dsn), ours(installation, "--unguarded") as served:
        asking = Asking(installation, served)
        bodies = asking.bodies(query)[-PATIENTS:]
        for body in bodies * 5:  # by then it knows all that it keeps
            asking.answer(query, body)
        for body in bodies:
            begin = log.stat().st_size
            asking.answer(query, body)
            with log.open("rb") as file:
                file.seek(begin)
                found.append(list(statements_in(file.read().decode())))
    assert all(found), "the server's log tells of no statement"
    return found


@contextmanager
def _logged(dsn: str) -> Iterator[None]:
    """Sessions that begin within are logged with all they run."""
    with Connection.connect(dsn, autocommit=True) as connection:
        name = Identifier(connection.info.dbname)
        for setting, value in _LOUD.items():
            connection.execute(SQL("ALTER DATABASE {} SET {} = {}").format(name, Identifier(setting), value))
        try:
            yield
        finally:
            for setting in _LOUD:
                connection.execute(SQL("ALTER DATABASE {} RESET {}").format(name, Identifier(setting)))


def statements_in(log: str) -> Iterator[str]:
    """What a server's log says was run, with the values in their places."""
    waiting: dict[str, str] = {}  # by process: one whose values may come
    for line in re.split(r"\n(?!\t)", log):  # a line that begins with a tab goes on with the one before
        if (read := _LINE.match(line.replace("\n\t", "\n"))) is None:
            continue
        process, kind, told = read.groups()
        if kind == "DETAIL":
            if told.lower().startswith("parameters") and process in waiting:
                yield _with_values(waiting.pop(process), told)
        elif (run := _RUN.match(told)) is not None:
            if process in waiting:
                yield _plain(waiting.pop(process))
            if run[1].strip():
                waiting[process] = run[1].strip().rstrip(";")
    yield from map(_plain, waiting.values())


def _with_values(statement: str, told: str) -> str:
    values = {number: value for number, value in _VALUE.findall(told)}
    placed = re.sub(r"\$(\d+)\b", lambda found: f" {values[found[1]]}", statement)
    return _plain(placed)


def _plain(statement: str) -> str:
    """Without a colon in a literal: pgbench would take what follows it for a variable."""

    def literal(found: re.Match[str]) -> str:
        text = found[0]
        return "E" + text.replace("\\", "\\\\").replace(":", "\\x3a") if ":" in text else text

    return _LITERAL.sub(literal, statement)


def limit(installation: Installation, scripts: Sequence[Sequence[str]], folder: Path) -> Slice:
    """A slice of pgbench running them, one patient's after another's. Raises SameSqlFailed."""
    files = []
    for number, script in enumerate(scripts):
        file = folder / f"{number}.sql"
        file.write_text("".join(f"{statement};\n" for statement in script))
        files += ["-f", str(file)]
    owner = conninfo_to_dict(logins_of(installation.settings, installation.dsn).of(LogRole.PROJECTOR))
    environment = os.environ | {
        "PGHOST": str(owner["host"]),
        "PGPORT": str(owner["port"]),
        "PGUSER": str(owner["user"]),
        "PGPASSWORD": str(owner["password"]),
        "PGDATABASE": str(owner["dbname"]),
    }
    program = Path(f"/proc/{postmaster(installation.dsn)}/exe").resolve().with_name("pgbench")
    if not program.exists():
        raise SameSqlFailed(f"there is no {program}")

    def run(seconds: float) -> Measured:
        timed = ["-T", str(WARM_SECONDS + max(1, round(seconds))), "-P", "1"]
        asked = [str(program), "-n", "-M", "prepared", f"-c{CONNECTIONS}", "-j1", *timed, *files]
        done = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=seconds + 60)
        rates = [float(rate) for rate in _PROGRESS.findall(done.stderr)]
        if done.returncode != 0 or "ERROR" in done.stderr or len(rates) <= WARM_SECONDS:
            raise SameSqlFailed(f"pgbench ended with {done.returncode}: {done.stderr.strip()[:500]}")
        rate = mean(rates[WARM_SECONDS:])
        return Measured(round(rate * seconds), 0.0, seconds)

    return run
