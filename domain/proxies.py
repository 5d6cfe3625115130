"""代理人: who stands for a patient, sees exactly what she sees, and for how long."""

from datetime import datetime
from uuid import UUID

from tsuzuri.domain.consents import Consents
from tsuzuri.domain.events import ProxyAppointed, ProxyEnded, originator
from tsuzuri.domain.vocabulary import ProxyRelation, Stream


class UselessProxy(ValueError):
    """An appointment that would never be in force."""


class NothingToEnd(ValueError):
    """No such appointment of this patient is in force."""


def appoint(
    consents: Consents,
    *,
    event_id: UUID,
    person: str,
    relation: ProxyRelation,
    since: datetime,
    until: datetime,
    recorded_by: str,
) -> ProxyAppointed:
    """*person* sees what the patient sees from *since* (inclusive) until *until* (exclusive), aware, UTC.

    Raises UselessProxy.
    """
    if until <= since:
        raise UselessProxy("an appointment ends after it begins")
    return ProxyAppointed(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        person=person,
        relation=relation,
        since=since,
        until=until,
        recorded_by=recorded_by,
    )


def end(consents: Consents, proxy: UUID, *, event_id: UUID, recorded_by: str) -> ProxyEnded:
    """Raises NothingToEnd."""
    if all(held.because != proxy for held in consents.proxies):
        raise NothingToEnd("no such appointment of this patient is in force")
    return ProxyEnded(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        proxy=proxy,
        recorded_by=recorded_by,
    )
