"""A log with accesses in it, and a checkpoint maker beside it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from event_examples import EXAMPLES
from log_examples import an_owner, listed, logins, opened_log, save, trail_read
from tsuzuri.domain.events import AccessPermitted, Event, WatcherTold, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.checkpoints import CheckpointMaker
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.proofs.notes import SigningKey
from tsuzuri.eventlog.proving import Prover
from tsuzuri.eventlog.published import Published

KEY = SigningKey("log.example/test", 1, b"\x07" * 32)
_PERMITTED = next(one for one in EXAMPLES if isinstance(one, AccessPermitted))
_TOLD = next(one for one in EXAMPLES if isinstance(one, WatcherTold))


def maker_at(dsn: str, folder: Path, key: SigningKey = KEY) -> CheckpointMaker:
    return CheckpointMaker(logins(dsn), key, Published(folder))


def an_access(patient: UUID, person: str = "dr-sato", **audit: Any) -> AccessPermitted:
    """Somebody looked at *patient*; *audit*: what the auditor is told of it."""
    return replace(
        _PERMITTED,
        originator_id=originator(patient, Stream.ACCESS),
        event_id=uuid4(),
        patient=patient,
        told=replace(_PERMITTED.told, person=person),
        audit=replace(_PERMITTED.audit, **audit),
    )


def a_watcher_told(patient: UUID) -> WatcherTold:
    return replace(_TOLD, originator_id=originator(patient, Stream.ACCESS), event_id=uuid4(), patient=patient)


def store(dsn: str, *events: Event) -> None:
    """One transaction for each."""
    with opened_log(dsn) as log:
        for event in events:
            save(log, event)


def some_events(dsn: str, number: int) -> None:
    """What no patient's list of accesses has: facts of owners, and looks at the trail."""
    store(dsn, *(listed(uuid4()) if one % 2 else trail_read(an_owner(one % 7)) for one in range(number)))


def some_accesses(dsn: str, number: int, patients: Sequence[UUID] = ()) -> list[UUID]:
    """Looks at some patients, one after the other."""
    who = list(patients) or [an_owner(one) for one in range(11)]
    store(dsn, *(an_access(who[one % len(who)]) for one in range(number)))
    return who


def proven(dsn: str, what: str, *about: Any) -> Any:
    """A proof as it is in its file, by the name of the prover's method; no key is disclosed in it."""

    async def asked() -> Any:
        async with await AsyncConnection.connect(logins(dsn).of(LogRole.READER)) as connection:
            return await getattr(Prover(connection), what)(*about)

    return json.loads(json.dumps(asyncio.run(asked())))
