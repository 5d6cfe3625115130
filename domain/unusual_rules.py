"""The rules for unusual access, version by version: what each counts, and from where on it speaks.

A version is never changed: what was found under it is found again, the same, whenever it is asked. Another number is
another version. Our own choice; the service asks only that unusual access be noticed (安全管理ガイドライン, 監査).
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class UnusualRule(StrEnum):
    """What a read may be noticed for. Nothing of it is proof: a person must look."""

    MANY_PATIENTS = "MANY_PATIENTS"  # many patients who were never there
    OWN_FAMILY_NAME = "OWN_FAMILY_NAME"  # the reader's own family name
    OFF_HOURS = "OFF_HOURS"  # while the facility was closed
    NO_ENCOUNTER = "NO_ENCOUNTER"  # an emergency without the patient


class UnknownRules(LookupError):
    """There is no version of that name."""


@dataclass(frozen=True, kw_only=True)
class UnusualRules:
    """The parameters of one version. A read is *explained* by an encounter of the patient at the reader's facility."""

    version: str

    encounter_before: timedelta
    """An encounter explains reads for so long after it: what comes back from the laboratory, letters, calls."""
    encounter_after: timedelta
    """And so long before it: appointments are prepared, and what happened is registered up to a week later. Nothing is
    judged before this time is over."""

    many_an_hour: int
    """So many patients without an encounter within one hour: nobody treats as fast."""
    many_a_day: int
    """So many within one day, from 05:00 to 05:00."""
    many_in_weeks: int
    """So many over the weeks that follow, on days that were not noticed by themselves: a few each day."""
    many_weeks: int
    """How many weeks, Monday to Sunday, are counted together. While it goes on it is told again as often."""

    family_before: timedelta
    """Of the same family name, an older encounter explains too: common names are mostly innocent."""

    closed_before_opening: timedelta
    """Who comes so early is at work."""
    closed_after_closing: timedelta
    """Who is still there so long after is at work."""
    duty_near: timedelta
    """Patients who are read and seen this near to a read show that the facility was open all the same (当番医)."""
    duty_patients: int
    """So many other patients show it."""
    prepared_for_each: int
    """Who prepares the next opening day reads of somebody who then stays away: one for every so many who come."""

    emergency_before: timedelta
    """The encounter of an emergency may be registered this long before it is declared."""


RULES_OF: dict[str, UnusualRules] = {
    "2026-11": UnusualRules(
        version="2026-11",
        encounter_before=timedelta(days=14),
        encounter_after=timedelta(days=10),
        many_an_hour=8,
        many_a_day=12,
        many_in_weeks=20,
        many_weeks=4,
        family_before=timedelta(days=30),
        closed_before_opening=timedelta(minutes=60),
        closed_after_closing=timedelta(minutes=90),
        duty_near=timedelta(hours=2),
        duty_patients=2,
        prepared_for_each=2,
        emergency_before=timedelta(hours=1),
    )
}
NEWEST = "2026-11"


def rules_named(version: str) -> UnusualRules:
    """Raises UnknownRules, naming those there are."""
    try:
        return RULES_OF[version]
    except KeyError:
        raise UnknownRules(f"no rules {version!r}; there are: {', '.join(RULES_OF)}") from None
