"""What a patient means to change of her consents, before it is decided; and what stands, said in the same words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.consents import PATIENT, Consents, Denial, Grant, Proxy
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass


@dataclass(frozen=True)
class IntendedGrant:
    """One facility may see *classes* for one purpose until *until* (exclusive)."""

    facility: str
    classes: tuple[RecordClass, ...]  # in the order of RecordClass
    purpose: PurposeOfUse
    until: datetime
    since: datetime | None = None  # when it begins, or began; None: as soon as it is recorded
    given: str = PATIENT
    document: UUID | None = None  # only this one referral


@dataclass(frozen=True)
class IntendedDenial:
    """拒否: *classes* (none: all) are kept from *facility* (None: from every one) until that is lifted."""

    facility: str | None
    classes: tuple[RecordClass, ...]


@dataclass(frozen=True)
class IntendedProxy:
    """代理人: *person* sees what the patient sees until *until* (exclusive)."""

    person: str
    relation: ProxyRelation
    until: datetime
    since: datetime | None = None


@dataclass(frozen=True)
class IntendedWithdrawal:
    """What came of this event ends: a consent is withdrawn, a denial lifted, an appointment ended."""

    said: UUID


@dataclass(frozen=True)
class ImportedConsent:
    """What became of intentions that came together: all of them were carried out."""

    events: tuple[UUID, ...]  # one for each, in their order
    not_kept: tuple[str, ...]  # FHIR paths of what came beside them


Intention = IntendedGrant | IntendedDenial | IntendedProxy | IntendedWithdrawal


def standing(consents: Consents, at: datetime) -> Iterator[tuple[UUID, Intention]]:
    """What stands at *at* (aware), as the intentions that would bring it about, each with the event it came of."""
    every: tuple[Grant | Denial | Proxy, ...] = (*consents.grants, *consents.denials, *consents.proxies)
    for said in every:
        if isinstance(said, Denial) or said.since <= at < said.until:
            yield said.because, _of(said)


def _of(said: Grant | Denial | Proxy) -> Intention:
    match said:
        case Grant():
            return IntendedGrant(
                said.facility,
                said.classes,
                said.purpose,
                said.until,
                since=said.since,
                given=said.given,
                document=said.document,
            )
        case Denial():
            return IntendedDenial(said.facility, said.classes)
        case Proxy():
            return IntendedProxy(said.person, said.relation, said.until, since=said.since)
