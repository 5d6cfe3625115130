"""Which events the patient is told of, and what."""

from collections.abc import Collection
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError
from psycopg import Connection

from tsuzuri.domain.events import AccessPermitted, EmergencyDeclared, EmergencyWidened, Event
from tsuzuri.domain.notices import (
    Notice,
    emergencies_of,
    of_declaration,
    of_disaster_read,
    of_emergency_read,
    of_widening,
)
from tsuzuri.domain.vocabulary import AccessBasis
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.following import LoggedEvent
from tsuzuri.eventlog.looking_back import accesses_before, logged_event, parts_of_log
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.eventlog.places import part_of
from tsuzuri.eventlog.sealing import SealBroken

TOPICS = (EmergencyDeclared.TOPIC, EmergencyWidened.TOPIC, AccessPermitted.TOPIC)

E = TypeVar("E", bound=Event)


class EventErased(Exception):
    """Its key was destroyed: whether the patient was to be told of it is not known any more."""


class Gathering:
    """Turns events of these topics into notices. It keeps nothing: asked again, it answers the same."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring, self._mapper = ring, event_mapper()

    def notice(self, connection: Connection[Any], logged: LoggedEvent) -> Notice | None:
        """None: the patient is told nothing of this event.

        Raises:
            EventErased; SealBroken, MapperDeserialisationError: it cannot be read; KeyUnavailable: not by this process.
        """
        event, at = self._mapper.to_domain_event(logged.opened(self._ring)), logged.recorded_at
        match event:
            case EmergencyDeclared():
                return of_declaration(event, at)
            case EmergencyWidened():
                declaration = logged_event(connection, [logged.part], event.emergency)
                return of_widening(event, at, self._as(EmergencyDeclared, declaration))
            case AccessPermitted():
                return self._of_read(connection, logged, event)
            case _:
                raise EventErased

    def _of_read(
        self, connection: Connection[Any], logged: LoggedEvent, event: AccessPermitted
    ) -> Notice | None:
        emergencies = emergencies_of(event)
        if not emergencies:
            at_disaster = AccessBasis.DISASTER in event.told.bases
            return of_disaster_read(event, logged.recorded_at) if at_disaster else None
        one_person = [event.patient, *event.audit.linked]
        number = parts_of_log(connection)
        parts = {part_of(patient, number) for patient in one_person}
        for emergency in emergencies:
            declaration = logged_event(connection, parts, emergency)
            if declaration is None or self._is_first(
                connection, logged, emergency, declaration, parts, one_person
            ):
                declared = self._as(EmergencyDeclared, declaration)
                return of_emergency_read(event, logged.recorded_at, emergency, declared)
        return None

    def _is_first(
        self,
        connection: Connection[Any],
        logged: LoggedEvent,
        emergency: UUID,
        declaration: LoggedEvent,
        parts: Collection[int],
        one_person: Collection[UUID],
    ) -> bool:
        """In the order of time and place, which has one first, whenever it is asked: parts are read side by side."""
        since, topic = declaration.recorded_at, AccessPermitted.TOPIC
        earlier = accesses_before(connection, parts, one_person, since=since, before=logged, topic=topic)
        opened = (self._as(AccessPermitted, one) for one in earlier)
        return not any(one is not None and emergency in emergencies_of(one) for one in opened)

    def _as(self, kind: type[E], logged: LoggedEvent | None) -> E | None:
        """The event, when it is there, of this kind, and can be read. A notice does not fail for another event."""
        if logged is None:
            return None
        try:
            event = self._mapper.to_domain_event(logged.opened(self._ring))
        except (SealBroken, MapperDeserialisationError):
            return None
        return event if isinstance(event, kind) else None
