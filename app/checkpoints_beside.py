"""Makes checkpoints every so many seconds, in a process beside `tsuzuri serve`.

One at each tick, whether anything was appended or not: how many there are tells nothing of what was recorded.
"""

import os
import time

import structlog
from psycopg import Error

from tsuzuri.app.ended_with import ended_with
from tsuzuri.app.keys import checkpoint_key, role_key, witness_keys
from tsuzuri.app.logs import configure_logs
from tsuzuri.app.settings import Settings
from tsuzuri.eventlog.checkpoints import CheckpointMaker, LogNotAsPublished
from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.eventlog.older_copy import refuse_older_copy
from tsuzuri.eventlog.proofs.notes import SigningKey
from tsuzuri.eventlog.published import Published

_log = structlog.get_logger()


def maker_of(settings: Settings, dsn: str) -> CheckpointMaker:
    """Raises SettingsWrong."""
    return maker_in(settings, dsn, checkpoint_key(settings), Published(settings.published))


def maker_in(settings: Settings, dsn: str, key: SigningKey, published: Published) -> CheckpointMaker:
    """Of another key, or in another folder, than the settings name. Raises SettingsWrong."""
    return CheckpointMaker(Logins(dsn, role_key(settings)), key, published, witness_keys(settings))


def refuse_to_serve_older(settings: Settings, dsn: str) -> None:
    """Raises OlderCopy: a backup was put back, and what has to follow was not done. And SettingsWrong."""
    with Logins(dsn, role_key(settings)).connect(LogRole.READER) as connection:
        refuse_older_copy(connection, Published(settings.published), checkpoint_key(settings).public)


def sign_regularly(settings: Settings, dsn: str, parent: int) -> None:
    """Until *parent* has ended. It may end in the middle: what was not published is published by the next."""
    configure_logs()
    ended_with(parent, lambda: os._exit(0))
    maker = maker_of(settings, dsn)
    due = time.monotonic()
    while True:
        if _whole(maker):
            due += settings.checkpoint_seconds
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due, time.monotonic() - settings.checkpoint_seconds)


def _whole(maker: CheckpointMaker) -> bool:
    """Sign what there is. Whether that was all: else the next follows at once."""
    try:
        made = maker.make()
    except LogNotAsPublished as fault:
        _log.error("log_not_as_published", fault=str(fault))
    except (Error, OSError) as error:
        sqlstate = error.sqlstate if isinstance(error, Error) else None
        _log.error("checkpoint_failed", fault=type(error).__name__, sqlstate=sqlstate)
    else:
        return made is None or made.whole
    return True
