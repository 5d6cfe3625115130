"""`tsuzuri audit export`: the trail as a file. See OPERATIONS, "Audit: the trail as a file"."""

import sys
from typing import Annotated
from uuid import UUID

import strawberry
import typer

from tsuzuri.app.actions.export_trail import export_trail
from tsuzuri.app.audit_export.lines import ExportFormat
from tsuzuri.app.commands.moments import japanese_moment
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.services import Services
from tsuzuri.app.settings import read_settings
from tsuzuri.domain.vocabulary import AccessBasis, Flag, RecordClass
from tsuzuri.graphql.trail_filter import TrailFilter


def export(
    form: Annotated[ExportFormat, typer.Option("--format", help="csv, ndjson, or fhir (AuditEvents).")],
    patient: Annotated[UUID | None, typer.Option(help="Of this patient.")] = None,
    person: Annotated[str | None, typer.Option(help="By this person.")] = None,
    facility: Annotated[str | None, typer.Option(help="By this facility (医療機関番号).")] = None,
    outcome: Annotated[
        str | None, typer.Option(help="PERMITTED, REFUSED, WATCHER_TOLD or TRAIL_READ.")
    ] = None,
    basis: Annotated[list[AccessBasis] | None, typer.Option(help="On this basis; may be repeated.")] = None,
    record_class: Annotated[
        list[RecordClass] | None, typer.Option("--class", help="That could see this class; may be repeated.")
    ] = None,
    flag: Annotated[
        list[Flag] | None, typer.Option(help="That could see entries of this mark; may be repeated.")
    ] = None,
    operation: Annotated[str | None, typer.Option(help="Of this operation: its name or digest.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="From this moment on: 2027-04-01, in Japan.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this moment.")] = None,
) -> None:
    """Write the trail to the standard output, the oldest access first. That it was written is in the trail."""
    wanted = TrailFilter(
        patient=None if patient is None else strawberry.ID(str(patient)),
        person=person,
        facility=facility,
        outcome=outcome,
        bases=basis or None,
        classes=record_class or None,
        flags=flag or None,
        operation=operation,
        start=japanese_moment(since),
        end=japanese_moment(until),
    )
    address = read_settings().audience

    async def work(opened: Services) -> None:
        written, whole = await export_trail(
            opened, operator_here(), wanted, form, address, sys.stdout.buffer.write
        )
        sys.stdout.buffer.flush()
        typer.echo(f"{written} accesses; the trail is whole up to {whole.isoformat()}", err=True)

    carried_out(work)
