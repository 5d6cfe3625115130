"""How every connection of the house is opened: the same session settings, whatever the server's own are."""

from typing import Any

from psycopg import Connection

SESSION = (
    "-c timezone=UTC"  # else a server in another zone turns some of our times into ones Python cannot read
)


def connect(dsn: str) -> Connection[Any]:
    """A connection of one's own, in autocommit, for work that takes longer than a request."""
    return Connection.connect(dsn, autocommit=True, options=SESSION)
