"""What a person must look at: whom a Bundle was taken to be about, and why that is not certain."""

from collections.abc import Collection, Mapping
from uuid import UUID, uuid5

from tsuzuri.domain.events import PatientIdentified, UnmatchedIdentity
from tsuzuri.domain.record import Demographics
from tsuzuri.domain.vocabulary import UnmatchedReason

Key = tuple[str, ...]
"""What makes two of them the same, when a facility sends the same again."""


def queued(
    event: PatientIdentified, disputed: Collection[tuple[str, str]]
) -> Mapping[UUID, UnmatchedIdentity]:
    """What an event puts into the operators' queue, by id.

    *disputed*: the patient's disputed numbers before it. Events from before there was a queue say no more than that a
    number is disputed: the first that does stands in it as well.
    """
    told = {_system_and_value(one) for one in event.unmatched}
    older = [
        UnmatchedIdentity(reason=UnmatchedReason.NUMBER_OF_ANOTHER, number=number)
        for number in event.disputed
        if (number.system, number.value) not in told and (number.system, number.value) not in disputed
    ]
    return {uuid5(event.event_id, str(n)): one for n, one in enumerate((*event.unmatched, *older))}


def key(one: UnmatchedIdentity, facility: str, demographics: Demographics) -> Key:
    """With the number and what was said of her: another wrong number, or another birth date, is looked at anew."""
    said = (demographics.birth_date, demographics.sex)
    return (one.reason, facility, str(one.other), *(_system_and_value(one)), *map(str, said))


def _system_and_value(one: UnmatchedIdentity) -> tuple[str, str]:
    return ("", "") if one.number is None else (one.number.system, one.number.value)
