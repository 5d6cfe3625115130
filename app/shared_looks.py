"""What those who watch ask when they are woken, asked once for all who are woken together.

What is asked in one turn of the event loop goes into one statement; nothing is kept beyond it. That it is shared is
safe: who is told something is told it under the guard of the very heads that it was decided on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from tsuzuri.app.actions.find_patient import sender_digest
from tsuzuri.app.actions.open_record import stands_of
from tsuzuri.app.services import READ_CONNECTIONS, Services
from tsuzuri.eventlog import known_numbers
from tsuzuri.eventlog.log import PatientHead
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import Freshness
from tsuzuri.projections.record_index import NAME
from tsuzuri.projections.seen import seen
from tsuzuri.projections.sight import Sight

BATCH_MAX = 500
CONNECTIONS = READ_CONNECTIONS // 2  # so that those who read find one, however many are woken
_ANY_MOMENT = datetime(1, 1, 1, tzinfo=UTC)

K = TypeVar("K")
V = TypeVar("V")


class SharedLooks:
    """Belongs to one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._heads = self._shared(services.log.heads_of_each)
        self._stands = self._shared(self._load_stands)
        self._owners = self._shared(self._load_owners)
        self._behind = self._shared(services.log.record_events_behind_each)
        self._seen: DataLoader[Sight, int] = DataLoader(
            self._load_seen, cache=False, max_batch_size=BATCH_MAX
        )

    def _shared(self, load: Callable[[list[K]], Awaitable[dict[K, V]]]) -> "DataLoader[K, V]":
        async def each(keys: list[K]) -> list[V]:
            async with self._free:
                found = await load(list(dict.fromkeys(keys)))
            return [found[key] for key in keys]

        return DataLoader(each, cache=False, max_batch_size=BATCH_MAX)

    async def heads(self, patient: UUID) -> list[PatientHead]:
        """As EventLog.heads."""
        return await self._heads.load(patient)

    async def stands(self, patients: Sequence[UUID]) -> dict[UUID, Freshness]:
        """As open_record.stands_of."""
        return dict(zip(patients, await self._stands.load_many(patients), strict=True))

    async def registered_here(self, facility: str | None, patients: Sequence[UUID]) -> bool:
        """As find_patient.registered_here."""
        if facility is None:
            return False
        digests = [sender_digest(self._services.number_key, facility, patient) for patient in patients]
        owners = await self._owners.load_many(digests)
        return any(owner == patient for owner, patient in zip(owners, patients, strict=True))

    async def record_events_behind(self, patient: UUID, after: int) -> Sequence[tuple[int, Any]]:
        """As EventLog.record_events_behind."""
        return await self._behind.load((patient, after))

    async def seen(self, sight: Sight) -> int:
        """Everything that it shows, as one number."""
        return await self._seen.load(sight)

    async def _load_stands(self, patients: list[UUID]) -> dict[UUID, Freshness]:
        return dict(await stands_of(self._services, patients))

    async def _load_owners(self, digests: list[bytes]) -> dict[bytes, UUID | None]:
        owners = await known_numbers.owners(self._services.pool, digests)
        return {digest: owners.get(digest) for digest in digests}

    async def _load_seen(self, sights: list[Sight]) -> list[int | BaseException]:
        """A statement for each that differs: the fence knows one sight at a time."""
        alike = [replace(sight, decided_at=_ANY_MOMENT) for sight in sights]
        different = dict(zip(alike, sights, strict=True))
        found = await asyncio.gather(*map(self._number, different.values()), return_exceptions=True)
        numbers = dict(zip(different, found, strict=True))
        return [numbers[one] for one in alike]

    async def _number(self, sight: Sight) -> int:
        statement = seen(sight, PROJECTIONS[NAME].schema(sight.generation))
        async with self._free:
            found = await self._services.reads.fetch(statement.numbered(), statement.values)
        return int(found.get_value(0, 0) or 0)
