"""What each stored access cites of its patient's consents, against what the log held where the access lies."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from log_examples import a_ring
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.eventlog.opened_events import EVENT_COLUMNS, open_event

OLDER = "cites an older consent than the log held"


@dataclass(frozen=True)
class Said:
    """A consent event: its place, its moment, and the version it made of its stream."""

    part: int
    pos: int
    at: datetime
    version: int


def older_than_held(connection: Connection[Any]) -> tuple[int, int, list[str]]:
    """How many accesses are stored, how many of them of linked patients, and each that cites an older consent.

    Positions say what lies before what in one part. Parts have no order among them; there the moments tell, which the
    append takes while it holds the heads of all parts that it writes to or looks at.
    """
    said: defaultdict[UUID, list[Said]] = defaultdict(list)
    for owner, *place in connection.execute(
        "SELECT patient_id, part, pos, recorded_at, version FROM event WHERE stream = %s",
        (Stream.CONSENT.value,),
    ):
        said[owner].append(Said(*place))
    ring, mapper = a_ring(), event_mapper()
    stored = linked = 0
    found = []
    with connection.transaction(), connection.cursor("accesses") as cursor:
        cursor.execute(
            f"""SELECT e.part, e.pos, e.recorded_at, {EVENT_COLUMNS}
                FROM event e LEFT JOIN data_key k USING (part, key_id) WHERE e.topic = %s""".encode(),
            (AccessPermitted.TOPIC,),
        )
        for part, pos, at, *row in cursor:
            access = mapper.to_domain_event(open_event(ring, *row))
            cited = {access.patient: access.audit.consent_version, **access.audit.linked}
            stored += 1
            linked += len(cited) > 1
            for owner, version in cited.items():
                held = max((one.version for one in said[owner] if _before(one, part, pos, at)), default=0)
                if held > version:
                    whose = "its patient's" if owner == access.patient else "the linked patient's"
                    found.append(
                        f"access {access.event_id} {OLDER}: {whose} {version}, and {held} lies before"
                    )
    return stored, linked, found


def _before(said: Said, part: int, pos: int, at: datetime) -> bool:
    return said.pos < pos if said.part == part else said.at < at
