"""How the house comes into its database: each part of it as a role that may do what that part does, and no more."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.conninfo import make_conninfo

SESSION = (
    "-c timezone=UTC"  # else a server in another zone turns some of our times into ones Python cannot read
)


class LogRole(StrEnum):
    """The roles that log in. `tsuzuri_owner` does not: it only owns. See app/migrations: 0001, 0005, 0007."""

    WRITER = "tsuzuri_writer"  # calls the append, nothing else
    READER = "tsuzuri_reader"  # reads the log and the projections, in read-only transactions
    PROJECTOR = "tsuzuri_projector"  # reads the log, owns the projections
    AUDITOR = "tsuzuri_auditor"  # reads events as they are stored, and the trail; no keys, no payloads
    KEEPER = "tsuzuri_keeper"  # wraps keys anew, destroys them, places holds
    DOORKEEPER = (
        "tsuzuri_doorkeeper"  # remembers which proofs of bound tokens were shown; touches nothing else
    )
    CHECKPOINTER = "tsuzuri_checkpointer"  # reads events as they are stored, writes the trees over them


@dataclass(frozen=True)
class Logins:
    """A conninfo for each role: the address of the database, and passwords that follow from one key."""

    address: str  # any conninfo libpq takes; a user or password in it counts for migrating only
    role_key: bytes = field(repr=False)

    def of(self, role: LogRole) -> str:
        """Holds the password: never log it."""
        return make_conninfo(self.address, user=role.value, password=self.password(role))

    def password(self, role: LogRole) -> str:
        return hmac.digest(self.role_key, role.value.encode(), "sha256").hex()

    def connect(self, role: LogRole) -> Connection[Any]:
        """A connection of one's own, in autocommit, for work that takes longer than a request."""
        return connect(self.of(role))

    def connect_to_look(self, role: LogRole) -> Connection[Any]:
        """A connection for one look at where things stand: who looks gives up soon, since somebody waits for it.

        Without an end to it, one that was begun while nothing answered would be waited for long after all is there.
        """
        return Connection.connect(self.of(role), autocommit=True, **LOOKING)


def connect(dsn: str) -> Connection[Any]:
    """As whoever the conninfo names, in autocommit."""
    return Connection.connect(dsn, autocommit=True, options=SESSION)


def session_options(*, statement_seconds: int, lock_seconds: int) -> str:
    """What a session of the service starts with: nobody waits for ever, and nobody makes others wait."""
    limits = {
        "statement_timeout": statement_seconds,
        "lock_timeout": lock_seconds,
        "idle_in_transaction_session_timeout": 10,
    }
    return " ".join([SESSION, *(f"-c {name}={seconds}s" for name, seconds in limits.items())])


LOOKING: Mapping[str, Any] = {
    "options": session_options(statement_seconds=3, lock_seconds=1),
    "connect_timeout": 3,
    "tcp_user_timeout": 3_000,  # ms; what was sent and is not even acknowledged
}
"""How a connection is opened that only asks how things stand."""


def pool_settings(*, statement_seconds: int, lock_seconds: int) -> Mapping[str, Any]:
    """How every connection of a pool is opened.

    A pool that cannot connect gives up after two seconds and tries again when it is asked, so that it is back as
    soon as the server is; left alone it would wait twice as long each time.
    """
    options = session_options(statement_seconds=statement_seconds, lock_seconds=lock_seconds)
    return {
        "kwargs": {"autocommit": True, "options": options},
        "reconnect_timeout": 2.0,
        "timeout": 5.0,
    }
