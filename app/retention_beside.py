"""Erases what is past its time every so many hours, in a process beside `tsuzuri serve`."""

import asyncio
import os
import time

import structlog
from psycopg import Error

from tsuzuri.app.actions.erase_expired import Account, moment_to_erase_by, run_retention
from tsuzuri.app.ended_with import ended_with
from tsuzuri.app.logs import configure_logs
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.failures import places

SERVICE = Caller(person="service:retention", role=Role.OPERATOR)
"""Who erased, where no person asked for it."""
_LIMIT = 1_000  # Bundles, between two lines of the log
_RETRY_SECONDS = 600

_log = structlog.get_logger()


def erase_regularly(settings: Settings, dsn: str, parent: int) -> None:
    """At once, and then each time the hours are over. It may end in the middle of a run: that is gone on with."""
    configure_logs()
    ended_with(parent, lambda: os._exit(0))
    while True:
        try:
            asyncio.run(_erase(settings, dsn))
        except Exception as error:
            sqlstate = error.sqlstate if isinstance(error, Error) else None
            _log.error("retention_failed", fault=type(error).__name__, sqlstate=sqlstate, at=places(error))
            time.sleep(_RETRY_SECONDS)
        else:
            time.sleep(settings.retention_hours * 3_600)


async def _erase(settings: Settings, dsn: str) -> None:
    async with services(settings, dsn) as opened:
        more = True
        while more:
            moment = await moment_to_erase_by(opened)
            account = await run_retention(opened, SERVICE, moment, limit=_LIMIT, tell=lambda *_: None)
            _tell(account)
            more = account.more


def _tell(account: Account) -> None:
    _log.info(
        "retention",
        bundles=account.bundles,
        patients=account.patients,
        held=account.held,
        behind=account.behind,
        unreadable=account.unreadable,
    )
