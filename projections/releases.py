"""The code releases that the log holds, for whoever folds or reads under one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from psycopg import Connection

from tsuzuri.domain.code_files import read_release
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Codes, CodesUnknown
from tsuzuri.domain.events import CodeReleaseTaken
from tsuzuri.domain.owners import codes_owner
from tsuzuri.eventlog.data_keys import KeyRing, WrappedKey
from tsuzuri.eventlog.following import LoggedEvent, events_of_owner, heads
from tsuzuri.eventlog.mapper import EventMapper
from tsuzuri.eventlog.places import part_of
from tsuzuri.eventlog.sealed_events import unseal_payload


@dataclass(frozen=True)
class Taken:
    """A release that was taken up, and when."""

    event: CodeReleaseTaken
    part: int
    recorded_at: datetime  # aware, UTC


def any_taken(connection: Connection[Any]) -> bool:
    """Whether a release was ever taken up; that lies in the clear, which one does not."""
    row = connection.execute(
        """SELECT EXISTS (SELECT FROM event WHERE patient_id = %s AND topic = %s
               AND part = mod(%s::numeric, (SELECT count(*) FROM part_head)))""",
        (codes_owner(), CodeReleaseTaken.TOPIC, codes_owner().int),
    ).fetchone()
    assert row is not None, "EXISTS has an answer"
    return bool(row[0])


class Releases:
    """Releases by name. What was read once is kept: a release never changes."""

    def __init__(self, mapper: EventMapper, ring: KeyRing) -> None:
        self._mapper = mapper
        self._ring = ring
        self._held = {built_in().name: Codes(built_in())}

    def taken(self, connection: Connection[Any]) -> Sequence[Taken]:
        """All that were taken up, the one in force last. None: the built-in one is in force."""
        owner, found = codes_owner(), heads(connection)
        part = part_of(owner, len(found))
        logged = events_of_owner(
            connection,
            part,
            owner,
            streams=[CodeReleaseTaken.STREAM.value],
            topics=[CodeReleaseTaken.TOPIC],
            after=0,
            upto=found[part],
        )
        return [self._opened(one) for one in logged]

    def in_force(self, connection: Connection[Any]) -> str:
        """The name of the release that a generation is filled under when it is made now."""
        taken = self.taken(connection)
        return taken[-1].event.release if taken else built_in().name

    def held(self, name: str) -> Codes | None:
        """The release, when it has been read already."""
        return self._held.get(name)

    def codes(self, connection: Connection[Any], name: str) -> Codes:
        """Raises CodesUnknown."""
        if (held := self.held(name)) is None:
            held = self._held[name] = self._read(connection, name)
        return held

    def of_generation(self, connection: Connection[Any], projection: str, generation: int) -> Codes:
        """What a generation is filled under. Raises CodesUnknown."""
        row = connection.execute(
            "SELECT codes FROM projection_generation WHERE name = %s AND generation = %s",
            (projection, generation),
        ).fetchone()
        assert row is not None, f"projection {projection} has no generation {generation}"
        return self.codes(connection, row[0])

    def _read(self, connection: Connection[Any], name: str) -> Codes:
        for one in self.taken(connection):
            if one.event.release == name:
                return Codes(read_release(name, self._body(connection, one)))
        raise CodesUnknown(f"the log holds no code release {name}; run: tsuzuri codes list")

    def _opened(self, logged: LoggedEvent) -> Taken:
        event = self._mapper.to_domain_event(logged.opened(self._ring))
        assert isinstance(event, CodeReleaseTaken)
        return Taken(event, logged.part, logged.recorded_at)

    def _body(self, connection: Connection[Any], taken: Taken) -> bytes:
        row = connection.execute(
            """SELECT p.body, p.key_id, k.patient_id, k.use, k.epoch, k.wrapped
               FROM payload p JOIN data_key k USING (part, key_id) WHERE p.part = %b AND p.payload_id = %b""",
            (taken.part, taken.event.payload),
            binary=True,
        ).fetchone()
        secret = None if row is None else self._ring.secret(WrappedKey(*row[1:]))
        if row is None or secret is None:
            raise CodesUnknown(f"the log has lost the bytes of code release {taken.event.release}")
        body = unseal_payload(secret, taken.event.payload, row[0])
        if sha256(body).hexdigest() != taken.event.sha256:
            raise CodesUnknown(f"the bytes of code release {taken.event.release} are not those taken up")
        return body
