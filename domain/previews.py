"""What a change of consent would mean, before it is made: which facilities gain or lose which classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tsuzuri.domain.access import Permitted, decide
from tsuzuri.domain.consents import ConsentEvent, Consents, evolve
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role


@dataclass(frozen=True)
class Preview:
    """One facility's sight for treatment, beside what it registered itself."""

    facility: str
    gains: tuple[RecordClass, ...]
    loses: tuple[RecordClass, ...]
    sees: tuple[RecordClass, ...]  # after the change


def preview(consents: Consents, change: ConsentEvent, at: datetime) -> Sequence[Preview]:
    """Of each facility that would gain or lose something at *at* (aware), by number.

    Asked of `decide` itself, so that no preview promises what a read does not keep.
    """
    after = evolve(consents, change)
    found = []
    for facility in sorted({grant.facility for grant in (*consents.grants, *after.grants)}):
        before, then = (_sees(said, facility, at) for said in (consents, after))
        gains, loses = _without(then, before), _without(before, then)
        if gains or loses:
            found.append(Preview(facility, gains, loses, then))
    return found


def _sees(consents: Consents, facility: str, at: datetime) -> tuple[RecordClass, ...]:
    request = AccessRequest(
        person="",
        role=Role.CLINICIAN,
        facility=facility,
        own_patient=None,
        patient=consents.patient,
        purpose=PurposeOfUse.TREAT,
        readable=frozenset(RecordClass),
        at=at,
    )
    answer = decide(request, consents)
    return answer.classes_told if isinstance(answer, Permitted) else ()


def _without(some: Sequence[RecordClass], others: Sequence[RecordClass]) -> tuple[RecordClass, ...]:
    return tuple(one for one in some if one not in others)
