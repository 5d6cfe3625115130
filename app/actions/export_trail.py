"""The audit trail, or what a filter names of it, written out row by row. That it was is in the trail before."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from tsuzuri.app.actions.load_trail import trail_count, trail_pages
from tsuzuri.app.actions.read_trail import trail_complete_until
from tsuzuri.app.actions.record_look import record_look
from tsuzuri.app.audit_export.lines import ExportFormat, head, lines
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.trail_filter import TrailFilter

COMMAND = "tsuzuri audit export"


async def export_trail(
    services: Services,
    caller: Caller,
    wanted: TrailFilter,
    form: ExportFormat,
    address: str,
    write: Callable[[bytes], object],
) -> tuple[int, datetime]:
    """How many accesses were written, the oldest first, and up to when the trail was whole: what came later is not
    among them.

    Raises:
        tsuzuri.graphql.context.RequestRefused: the filter names a patient by what is no id.
        Busy; tsuzuri.projections.checkpoints.ProjectionOutdated; tsuzuri.eventlog.appending.LogUnavailable.
    """
    where, before = wanted.where(), await trail_complete_until(services)
    count = await trail_count(services, where, before)
    asked = {"format": form, **asdict(wanted)}
    await record_look(services, caller, COMMAND, wanted.patient_id(), asked, shown=count)
    written = 0
    write(head(form))
    async for page in trail_pages(services, where, before):
        write(lines(form, page, services.seals, address))
        written += len(page)
    return written, before
