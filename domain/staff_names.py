"""姓(カナ) of those who work at a facility, as its administrator names them; and family names in one spelling."""

import re
from collections.abc import Mapping
from uuid import UUID

from tsuzuri.domain.demographics import kana_spelled
from tsuzuri.domain.events import StaffNamed, originator
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.vocabulary import Stream

_KANA = re.compile(r"[ァ-ヶー]{1,50}")
_PERSON_LONGEST = 200
_AT_ONCE_MOST = 5_000


class StaffMalformed(ValueError):
    """Names that cannot be taken. Says what is wrong, and repeats none."""


def family_name_spelled(kana: str) -> str:
    """One spelling of a family name in kana, whichever kana it was written in."""
    return kana_spelled(kana)


def family_name_of(kana: str | None) -> str | None:
    """Of a whole name in kana, which begins with the family name; None when nothing parts the two."""
    family, blank, _ = (kana or "").strip().replace("\u3000", " ").partition(" ")
    return family_name_spelled(family) if family and blank else None


def name_staff(
    entry: FacilityEntry, facility: str, names: Mapping[str, str], *, recorded_by: str, event_id: UUID
) -> StaffNamed | None:
    """The event that names people (person, as her token says → family name in kana); None when it says nothing new.

    Raises:
        StaffMalformed: a name is not kana, or a person is empty.
    """
    spelled = {person: family_name_spelled(kana) for person, kana in names.items()}
    if not 1 <= len(spelled) <= _AT_ONCE_MOST:
        raise StaffMalformed(f"name from 1 to {_AT_ONCE_MOST} people at once")
    if not all(1 <= len(one) <= _PERSON_LONGEST and one == one.strip() for one in spelled):
        raise StaffMalformed("a person is named as the token names her")
    if not all(_KANA.fullmatch(one) for one in spelled.values()):
        raise StaffMalformed("a family name is written in kana, without the given name")
    new = {person: name for person, name in spelled.items() if entry.staff.get(person) != name}
    if not new:
        return None
    return StaffNamed(
        originator_id=originator(entry.owner, Stream.RECORD),
        originator_version=entry.version + 1,
        event_id=event_id,
        facility=facility,
        names=new,
        recorded_by=recorded_by,
    )
