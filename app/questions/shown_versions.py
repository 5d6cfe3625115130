"""Reads that showed something of a version: of one marked 未告知, or of one that was corrected since."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from tsuzuri.app.questions.accesses import RECORD_READS, filter_of, finding, load, reading_of
from tsuzuri.app.services import Services
from tsuzuri.domain.answers import Answered, Finding, answered
from tsuzuri.domain.events import Event
from tsuzuri.domain.explanation_sentences import classes_in, moment_in
from tsuzuri.domain.past_versions import (
    VERSION_EVENTS,
    EndedBy,
    PastVersion,
    Place,
    could_show,
    standing,
    versions,
)
from tsuzuri.domain.questions import Asked
from tsuzuri.domain.vocabulary import Flag, Language, RecordClass
from tsuzuri.eventlog.stored_events import recorded_events
from tsuzuri.graphql.statements import one_of
from tsuzuri.projections.audit_trail import AccessRow

_EVER = datetime(1900, 1, 1, tzinfo=UTC)
_OWNERS_AT_ONCE = 500
_CORRECTED = (EndedBy.REPLACED, EndedBy.CANCELLED)
_UNINFORMED_SAYS = {
    Language.EN: "Conditions were shown while one was marked as not told to the patient, which this reader could see.",
    Language.JA: "未告知の傷病名が見える状態で、傷病名が表示されました。",
}


async def uninformed_seen(services: Services, asked: Asked, complete_until: datetime) -> Answered:
    wanted = filter_of(asked)
    wanted.flags = [Flag.UNINFORMED]
    wanted.classes = [RecordClass.CONDITION]
    rows = await load(services, [*wanted.where(), one_of("outcome", RECORD_READS)], complete_until)
    held = await _versions(services, rows, complete_until)

    def found(row: AccessRow) -> bool:
        reading = reading_of(row)
        marked = (one for one in standing(reading, _of(row, held)) if Flag.UNINFORMED in one.marks)
        return any(could_show(reading, one, [RecordClass.CONDITION], Flag.UNINFORMED) for one in marked)

    seen = [finding(row, _UNINFORMED_SAYS, [RecordClass.CONDITION]) for row in rows if found(row)]
    return answered(seen, complete_until)


async def superseded_seen(services: Services, asked: Asked, complete_until: datetime) -> Answered:
    """One finding for each read and version."""
    rows = await load(services, [*filter_of(asked).where(), one_of("outcome", RECORD_READS)], complete_until)
    held = await _versions(services, rows, complete_until)
    seen = [one for row in rows for one in _superseded(row, _of(row, held), asked.document)]
    return answered(seen, complete_until, notices=True)


def _superseded(row: AccessRow, held: Iterable[PastVersion], document: UUID | None) -> Iterable[Finding]:
    reading = reading_of(row)
    for version in standing(reading, held):
        if version.ended_by not in _CORRECTED or document not in (None, version.document):
            continue
        if classes := could_show(reading, version, version.classes):
            yield _finding(row, version, classes)


def _finding(row: AccessRow, version: PastVersion, classes: tuple[RecordClass, ...]) -> Finding:
    assert version.until is not None and version.ended_by is not None
    at, what = version.until.at, version.ended_by
    english = {EndedBy.REPLACED: "replaced", EndedBy.CANCELLED: "cancelled"}[what]
    japanese = {EndedBy.REPLACED: "変更", EndedBy.CANCELLED: "取消"}[what]
    found = finding(
        row,
        {
            Language.EN: f"Shown: {classes_in(classes, Language.EN)}, while a version stood that facility "
            f"{version.facility} {english} at {moment_in(at, Language.EN)}.",
            Language.JA: f"医療機関{version.facility}が{moment_in(at, Language.JA)}に{japanese}した版が有効な間に、"
            f"{classes_in(classes, Language.JA)}が表示されました。",
        },
        classes,
    )
    return Finding(**vars(found) | {"document": version.document})


def _of(row: AccessRow, held: Mapping[UUID, list[PastVersion]]) -> list[PastVersion]:
    """Of the patient, and of who was the same person then."""
    patients = [] if row.patient_id is None else [row.patient_id, *row.linked]
    return [version for one in patients for version in held.get(one, ())]


async def _versions(
    services: Services, rows: Iterable[AccessRow], until: datetime
) -> dict[UUID, list[PastVersion]]:
    """Of what was erased there is nothing to tell any more."""
    patients = sorted({one for row in rows if row.patient_id for one in (row.patient_id, *row.linked)})
    held: dict[UUID, list[tuple[Place, Event]]] = {}
    for first in range(0, len(patients), _OWNERS_AT_ONCE):
        page = patients[first : first + _OWNERS_AT_ONCE]
        for one in await recorded_events(services.log, page, VERSION_EVENTS, _EVER, until):
            held.setdefault(one.owner, []).append((Place(one.pos, one.recorded_at), one.event))
    return {patient: versions(patient, told) for patient, told in held.items()}
