"""Lists of what patients ask of facilities: each patient on a page has a read of her own in the audit trail."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import strawberry

from tsuzuri.domain.correction_requests import CorrectionState
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.correction_types import (
    CorrectionInbox,
    CorrectionRequest,
    CorrectionRequestConnection,
    OverdueCorrection,
    OverdueCorrectionConnection,
    ReceivedCorrectionRequest,
    Row,
)
from tsuzuri.graphql.paging import Edge, PageInfo, Stretch, find, page
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.statements import Source, equal, one_of
from tsuzuri.projections import correction_requests
from tsuzuri.projections.fences import sees_requests
from tsuzuri.projections.sql import SQL, Composed, Literal

Page = tuple[list[Edge[Any]], PageInfo]


async def inbox(
    context: Context, path: Path, wanted: Stretch, state: CorrectionState | None
) -> CorrectionInbox:
    """What patients ask of the caller's facility. Raises RequestRefused."""
    facility = context.caller.facility
    if facility is None:
        raise RequestRefused("FORBIDDEN", "only who stands for a facility is asked for corrections")
    at, limit_days = context.application.now(), context.application.correction_days

    def node(row: Row, reading: Reading) -> ReceivedCorrectionRequest:
        return ReceivedCorrectionRequest.received(row, at, limit_days, RecordReader(context, reading))

    to_it = [equal("facility", facility), *([] if state is None else [equal("state", state)])]
    use, seen = f"corrections/{facility}", sees_requests(facility=facility)
    edges, info = await _looked_at(context, path, use, seen, to_it, wanted, node)
    return CorrectionInbox(edges=edges, page_info=info)


async def overdue(context: Context, path: Path, wanted: Stretch) -> OverdueCorrectionConnection:
    """What any facility should have answered by now."""
    at = context.application.now()
    since = at - timedelta(days=context.application.correction_days)

    def node(row: Row, _: Reading) -> OverdueCorrection:
        return OverdueCorrection.of(row, at, patient_id=strawberry.ID(str(row["patient"])))

    late = [equal("state", CorrectionState.WAITING), SQL("requested_at <= {}").format(Literal(since))]
    use, seen = "overdue-corrections", sees_requests(waiting_since=since)
    edges, info = await _looked_at(context, path, use, seen, late, wanted, node)
    return OverdueCorrectionConnection(edges=edges, page_info=info)


async def own_requests(reader: RecordReader, wanted: Stretch) -> CorrectionRequestConnection:
    """All requests of the patient who asks, under any of her numbers."""
    context, sight = reader.context, reader.reading.sight
    application, name = context.application, correction_requests.NAME
    left = [one for one in sight.patients if not await application.erased_behind(name, one)]
    use = f"own-corrections/{sight.patient}"
    seen = SQL("{} AND {}").format(sees_requests(patients=left), one_of("patient_id", left))
    schema = (await reader.beside(name)).schema
    source = Source(correction_requests.VIEW, schema, seen)
    found = await find(application.fetch, source, [], application.seals, use, wanted)
    reader.reading.show((row["id"].bytes, None) for row in found.rows)
    at, limit_days = application.now(), application.correction_days

    def node(row: Row) -> CorrectionRequest:
        return CorrectionRequest.as_asked(row, at, limit_days)

    edges, info = page(application.seals, use, wanted, found, node)
    return CorrectionRequestConnection(edges=edges, page_info=info)


async def _looked_at(
    context: Context,
    path: Path,
    use: str,
    seen: Composed,
    where: Sequence[Composed],
    wanted: Stretch,
    node: Callable[[Row, Reading], Any],
) -> Page:
    """A page over patients. It is found first, and fetched again once each patient's read is decided.

    Then nothing is on it that was taken back or erased before; what is so meanwhile, the reads' guards notice.
    """
    application = context.application
    (schema,) = await application.live_schemas(correction_requests.NAME)
    source = Source(correction_requests.VIEW, schema, seen)
    found = await find(application.fetch, source, where, application.seals, use, wanted)
    readings = await _readings(context, path, [row["patient"] for row in found.rows])
    ids = [row["id"] for row in found.rows]
    again = await application.fetch(source.page([*where, one_of("request", ids)], len(ids), None))
    there = {row["id"]: row for row in again}

    def shown(row: Row) -> Any | None:
        reading = readings[row["patient"]]
        if row["id"] not in there or reading.incomplete:
            return None
        reading.show([(row["id"].bytes, None)])
        return node(there[row["id"]], reading)

    edges, info = page(application.seals, use, wanted, found, shown)
    context.readings.permitted += [reading for reading in readings.values() if reading.shown]
    return edges, info


async def _readings(context: Context, path: Path, patients: Sequence[UUID]) -> dict[UUID, Reading]:
    readings: dict[UUID, Reading] = {}
    for patient in dict.fromkeys(patients):
        reading = await context.application.open_corrections(context.caller, patient, path)
        assert not isinstance(reading, RefusedReading), "the field is open to those alone who may read"
        readings[patient] = reading
    return readings
