"""An empty log on a server of its own, which ends with the torture; and the same log emptied again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import Connection

from log_examples import LOG_TABLES, PARTS, make_log
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.projections.catalogue import PROJECTIONS


@contextmanager
def fresh_log(folder: Path, *, parts: int = PARTS) -> Iterator[str]:
    """The DSN of an empty log below *folder*. From the main thread only."""
    with EmbeddedPostgres(folder / "postgres") as server:
        make_log(server.dsn, parts=parts)
        yield server.dsn


def empty(connection: Connection[Any]) -> None:
    """All that was appended and projected is gone, as the database's owner: quicker than a database made anew.

    What processes know of it, such as the keys of streams, is wrong from then on.
    """
    statements = [f"DELETE FROM {table}" for table in LOG_TABLES if table != "part_head"]
    found = connection.execute("SELECT name, generation, state FROM projection_generation").fetchall()
    for name, generation, state in found:
        schema = PROJECTIONS[name].schema(generation)
        if state == "LIVE":
            statements += [f"DELETE FROM {schema}.{kind.TABLE}" for kind in PROJECTIONS[name].rows]
        else:
            statements.append(f"DROP SCHEMA {schema} CASCADE")
    statements += [
        "DELETE FROM projection_generation WHERE state <> 'LIVE'",
        "DELETE FROM projection_quarantine",
        "DELETE FROM projection_skip",
        "UPDATE part_head SET pos = 0",
        "UPDATE projection_checkpoint SET pos = 0",
        "UPDATE projection SET previous = NULL, paused = false",
    ]
    connection.execute(";".join(statements).encode())
