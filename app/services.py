"""The composition root: everything an action needs, built from the settings and closed again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from tsuzuri.app.bundle_reader import BundleReader, read_under
from tsuzuri.app.codes_in_force import CodesInForce
from tsuzuri.app.keys import identifier_key, key_encryption, role_key, seal_key
from tsuzuri.app.rates import Rate, Rates
from tsuzuri.app.reading_worker import Limits
from tsuzuri.app.settings import Settings
from tsuzuri.domain.rules.policies import policy_named
from tsuzuri.domain.vocabulary import Role
from tsuzuri.eventlog.connecting import Logins, LogRole, pool_settings
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.log import AsyncPool, EventLog
from tsuzuri.eventlog.quick_reads import QuickReads
from tsuzuri.eventlog.recent import Recent
from tsuzuri.graphql.seals import Seals
from tsuzuri.projections.releases import Releases

READ_CONNECTIONS = 8
DOCUMENTS_KNOWN = 10_000  # digests of texts that this process knows to be kept in the log


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """What actions work with. Time and ids come from here, so that a test can say what they are."""

    logins: Logins
    ring: KeyRing
    log: EventLog
    pool: AsyncPool  # for reading, as the reader
    reads: QuickReads  # for what every read asks, as the reader
    auditors: AsyncPool  # for reading, as the auditor
    number_key: bytes
    seals: Seals
    bundle_reader: BundleReader
    releases: Releases
    codes_in_force: CodesInForce
    sets_by_department: bool
    rules: str  # the version of the rules that received Bundles must keep
    rebuild_share: float  # of its time that a rebuild in this process may take
    emergency_undelivered: bool  # whether an emergency shows 未提供 too
    correction_days: int  # how long a facility may take to answer a patient's request
    name_lookups: Rates  # how often each caller may name a patient by name and birth date
    documents_kept: Recent[str, bool] = field(default_factory=lambda: Recent(DOCUMENTS_KNOWN))
    now: Callable[[], datetime] = _now
    new_id: Callable[[], UUID] = uuid4


@asynccontextmanager
async def services(settings: Settings, dsn: str, *, reader_processes: int = 0) -> AsyncIterator[Services]:
    """Open the log and the read pool on *dsn*; Bundles are read in this process when no other is asked for."""
    logins, ring = logins_of(settings, dsn), KeyRing(key_encryption(settings))
    pool = _pool(logins, LogRole.READER, 2, READ_CONNECTIONS)
    auditors = _pool(logins, LogRole.AUDITOR, 0, 2)
    reader = BundleReader(
        reader_processes,
        partial(read_under, settings.rules, settings.rule_severities),
        Limits(settings.reader_memory_mb * 1024 * 1024),
    )
    reads = QuickReads(logins.of(LogRole.READER), READ_CONNECTIONS)
    await pool.open(wait=True)
    await auditors.open()
    log = await asyncio.to_thread(EventLog, logins, ring, pool)
    releases = Releases(log.mapper, ring)
    try:
        yield Services(
            logins,
            ring,
            log,
            pool,
            reads,
            auditors,
            identifier_key(settings),
            Seals(seal_key(settings)),
            reader,
            releases,
            CodesInForce(logins, releases),
            settings.sets_by_department,
            policy_named(settings.rules, settings.rule_severities).version,
            settings.rebuild_share,
            settings.emergency_undelivered,
            settings.correction_days,
            _so_many_a_minute(settings.lookups_per_minute),
        )
    finally:
        await log.close()
        await auditors.close()
        await reads.close()
        await pool.close()
        reader.close()


def _so_many_a_minute(number: int) -> Rates:
    return Rates(dict.fromkeys(Role, Rate(number / 60, number)))


def _pool(logins: Logins, role: LogRole, least: int, most: int) -> AsyncPool:
    return AsyncConnectionPool(
        logins.of(role),
        connection_class=AsyncConnection[Any],
        min_size=least,
        max_size=most,
        check=AsyncConnectionPool.check_connection,
        open=False,
        **pool_settings(statement_seconds=30, lock_seconds=5),
    )


def logins_of(settings: Settings, dsn: str) -> Logins:
    return Logins(dsn, role_key(settings))
