"""An empty log on a server of its own, which ends with the torture."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from log_examples import make_log
from tsuzuri.app.embedded_postgres import EmbeddedPostgres


@contextmanager
def fresh_log(folder: Path) -> Iterator[str]:
    """The DSN of an empty log below *folder*. From the main thread only."""
    with EmbeddedPostgres(folder / "postgres") as server:
        make_log(server.dsn)
        yield server.dsn
