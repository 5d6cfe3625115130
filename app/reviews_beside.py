"""Asks the rules for unusual access every so many hours, in a process beside `tsuzuri serve`."""

import asyncio
import os
import time
from datetime import datetime, timedelta

import structlog
from psycopg import Error

from tsuzuri.app.actions.find_unusual import USUAL_PERIOD, find_unusual
from tsuzuri.app.actions.read_trail import trail_complete_until
from tsuzuri.app.ended_with import ended_with
from tsuzuri.app.logs import configure_logs
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.unusual import judged_until
from tsuzuri.domain.unusual_rules import NEWEST, RULES_OF
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.failures import places

SERVICE = Caller(person="service:reviews", role=Role.OPERATOR)
"""Who asked, where no person did."""
_FIRST_PERIOD = timedelta(weeks=6)
"""What is asked about once this begins: it may not have run for weeks."""
_RETRY_SECONDS = 600

_log = structlog.get_logger()


def find_regularly(settings: Settings, dsn: str, parent: int) -> None:
    """At once, and then each time the hours are over. It may end in the middle: what is stored is stored once."""
    configure_logs()
    ended_with(parent, lambda: os._exit(0))
    judged: datetime | None = None
    while True:
        try:
            judged = asyncio.run(_find(settings, dsn, judged))
        except Exception as error:
            sqlstate = error.sqlstate if isinstance(error, Error) else None
            _log.error("reviews_failed", fault=type(error).__name__, sqlstate=sqlstate, at=places(error))
            time.sleep(_RETRY_SECONDS)
        else:
            time.sleep(settings.review_hours * 3_600)


async def _find(settings: Settings, dsn: str, before: datetime | None) -> datetime:
    """Up to when everything is judged now. That moves on once a day: until then there is nothing to ask."""
    rules = RULES_OF[NEWEST]
    async with services(settings, dsn) as opened:
        until = judged_until(await trail_complete_until(opened), rules)
        if until == before:
            return until
        since = until - _FIRST_PERIOD if before is None else before - USUAL_PERIOD
        judged, new = await find_unusual(opened, SERVICE, rules, since, until)
        if new:
            _log.info("reviews", rules=rules.version, found=len(judged.found), opened=len(new))
        return until
