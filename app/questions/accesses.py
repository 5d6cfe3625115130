"""Accesses of the trail that a question is about, and each as a finding."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import strawberry

from tsuzuri.app.actions.load_trail import trail_pages
from tsuzuri.app.services import Services
from tsuzuri.domain.access_words import AccessFacts, words
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.answers import Answered, Finding, TooMuchAsked, answered
from tsuzuri.domain.explanation_sentences import classes_in
from tsuzuri.domain.past_versions import PastReading
from tsuzuri.domain.questions import Asked
from tsuzuri.domain.vocabulary import AccessBasis, Language, RecordClass, Role
from tsuzuri.graphql.statements import one_of
from tsuzuri.graphql.trail_filter import TrailFilter
from tsuzuri.projections.audit_trail import AccessRow
from tsuzuri.projections.sql import Composed

ACCESSES_MAX = 20_000
"""One question goes through so many accesses."""

RECORD_READS = ("PERMITTED", "WATCHER_TOLD")


def filter_of(asked: Asked) -> TrailFilter:
    return TrailFilter(
        patient=None if asked.patient is None else strawberry.ID(str(asked.patient)),
        person=asked.person,
        facility=asked.facility,
        start=asked.since,
        end=asked.until,
    )


async def load(
    services: Services, where: Sequence[Composed], before: datetime, most: int = ACCESSES_MAX
) -> list[AccessRow]:
    """The oldest first. Raises TooMuchAsked."""
    found: list[AccessRow] = []
    async for page in trail_pages(services, where, before, size=min(most + 1, 1_000)):
        found += page
        if len(found) > most:
            raise TooMuchAsked(
                f"this is about more than {most} accesses: ask for a shorter period, or for fewer"
            )
    return found


async def who_saw(services: Services, asked: Asked, complete_until: datetime) -> Answered:
    """Reads and refusals; looks at the trail are of the trail."""
    where = [*filter_of(asked).where(), one_of("outcome", (*RECORD_READS, "REFUSED"))]
    return answered(map(finding, await load(services, where, complete_until)), complete_until)


async def seen_at(services: Services, asked: Asked, complete_until: datetime) -> Answered:
    since, until = asked.around()
    wanted = TrailFilter(person=asked.person, facility=asked.facility, start=since, end=until)
    return answered(map(finding, await load(services, wanted.where(), complete_until)), complete_until)


def finding(
    row: AccessRow, says: Mapping[Language, str] | None = None, classes: Sequence[RecordClass] | None = None
) -> Finding:
    """*says*: what else is to be said of it; else the access as a sentence, with what it showed."""
    return Finding(
        since=row.at,
        until=row.at,
        person=row.person,
        role=Role(row.role),
        facility=row.facility,
        patients=() if row.patient_id is None else (row.patient_id,),
        accesses=(row.access,),
        bases=tuple(map(AccessBasis, row.bases)),
        classes=tuple(map(RecordClass, row.classes_permitted)) if classes is None else tuple(classes),
        number=1,
        says=sentences(row) if says is None else says,
    )


def sentences(row: AccessRow) -> Mapping[Language, str]:
    facts = AccessFacts(
        at=row.at,
        role=Role(row.role),
        facility_number=row.facility,
        facility_name=None,
        bases=tuple(map(AccessBasis, row.bases)),
        classes_asked=tuple(map(RecordClass, row.classes_asked)),
        classes_permitted=tuple(map(RecordClass, row.classes_permitted)),
        of_trail=row.outcome == "TRAIL_READ",
    )
    shown = shown_of(row)
    counted = {
        Language.EN: "".join(f" {classes_in([one], Language.EN)}: {n}." for one, n in shown.items()),
        Language.JA: "".join(f"{classes_in([one], Language.JA)}{n}件。" for one, n in shown.items()),
    }
    heads = {Language.EN: " Shown:", Language.JA: "表示した項目: "}
    return {one: words(facts, one) + (heads[one] + counted[one] if shown else "") for one in Language}


def shown_of(row: AccessRow) -> dict[RecordClass, int]:
    return msgspec.json.decode(row.shown_by_class, type=dict[RecordClass, int])


def reading_of(row: AccessRow) -> PastReading:
    assert row.patient_id is not None, "a read is of somebody"
    return PastReading(
        patient=row.patient_id,
        at=row.at,
        read_at=row.read_at,
        as_of=row.as_of,
        grounds=tuple(msgspec.json.decode(row.grounds, type=list[Ground])),
        shown=shown_of(row),
    )
