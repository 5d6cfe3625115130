"""`tsuzuri erase`: make something of a patient unreadable for ever, or hold that up. See OPERATIONS, "Erasing"."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer

from tsuzuri.app.actions import erase
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.projection_words import told
from tsuzuri.app.commands.projections import rebuild_with_bar
from tsuzuri.app.database import let_go, ready_database
from tsuzuri.app.services import Services, logins_of, services
from tsuzuri.app.settings import read_settings
from tsuzuri.domain.orders import Why
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.connecting import LogRole, connect
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import drop_retired

app = typer.Typer(no_args_is_help=True, help="Destroy keys: what they sealed is unreadable for ever.")
Patient = Annotated[UUID, typer.Argument(help="The patient's id.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the log. No names or numbers.")]


@app.command("document")
def erase_document(
    patient: Patient,
    document: Annotated[UUID, typer.Argument(help="The document's id.")],
    reason: Reason,
    units: Annotated[bool, typer.Option(help="Also the 6情報 that were taken out of it.")] = False,
) -> None:
    """Erase one document, all its versions."""
    _run(
        lambda opened: erase.erase_document(
            opened, operator_here(), patient, document, units=units, reason=reason
        ),
        "erased by event",
    )


@app.command("stream")
def erase_stream(
    patient: Patient,
    stream: Annotated[str, typer.Argument(help="record, consent or access.")],
    reason: Reason,
) -> None:
    """Erase all that one stream holds until now; with record, all documents and what was taken out of them."""
    if stream.upper() not in Stream.__members__:
        raise typer.BadParameter("record, consent or access")
    _run(
        lambda opened: erase.erase_stream(
            opened, operator_here(), patient, Stream[stream.upper()], reason=reason
        ),
        "erased by event",
    )


@app.command("hold")
def place_hold(patient: Patient, reason: Reason) -> None:
    """Nothing of the patient is erased until the hold is lifted."""
    _run(lambda opened: erase.place_hold(opened, operator_here(), patient, reason=reason), "hold")


@app.command("lift")
def lift_hold(
    patient: Patient, hold: Annotated[UUID, typer.Argument(help="As `hold` printed it.")], reason: Reason
) -> None:
    """End a hold."""
    _run(
        lambda opened: erase.lift_hold(opened, operator_here(), patient, hold, reason=reason),
        "lifted by event",
    )


@app.command("finish")
def finish() -> None:
    """Leave no readable copy of what was erased: fill the projections anew, drop the old ones, let go of old WAL.

    Until then rows that were erased may be read from the files of the database by whoever has them. Reads go on.
    """
    settings = read_settings()
    with ready_database(settings) as dsn:
        for name, projection in PROJECTIONS.items():
            rebuilt = asyncio.run(rebuild_with_bar(settings, dsn, name, Why("erase finish")))
            typer.echo(told(name, rebuilt))
            if not rebuilt.promoted:
                raise typer.Exit(1)
            with logins_of(settings, dsn).connect(LogRole.PROJECTOR) as connection:
                drop_retired(connection, projection)
        with connect(dsn) as connection:
            let_go(connection)
    typer.echo("the old projections, their statistics and their WAL are gone from this server")


def _run(work: Callable[[Services], Awaitable[UUID]], what: str) -> None:
    settings = read_settings()

    async def run(dsn: str) -> UUID:
        async with services(settings, dsn) as opened:
            return await work(opened)

    with ready_database(settings) as dsn:
        typer.echo(f"{what} {asyncio.run(run(dsn))}")
