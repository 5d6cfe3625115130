"""`tsuzuri projections quarantine`: patients set aside at an event that could not be applied."""

from typing import Annotated
from uuid import UUID

import typer

from tsuzuri.app.actions import operate_projections
from tsuzuri.app.commands import projection_words
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import Name, Reason, Ticket, carried_out
from tsuzuri.app.database import ready_database
from tsuzuri.app.services import logins_of
from tsuzuri.app.settings import read_settings
from tsuzuri.domain.orders import Why
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.catalogue import projection
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.replaying import Tried

app = typer.Typer(no_args_is_help=True, help="Patients set aside at an event that could not be applied.")


@app.command("list")
def list_quarantined(
    name: Annotated[str | None, typer.Argument(help="One projection; all of them when left out.")] = None,
) -> None:
    """Who waits, since when, at which event. Exit code 1 when anybody does."""
    settings = read_settings()
    with ready_database(settings) as dsn, logins_of(settings, dsn).connect(LogRole.READER) as connection:
        found = quarantined(connection, projection(name).name if name else None)
    if found:
        for line in projection_words.quarantined(found):
            typer.echo(line)
        raise typer.Exit(1)
    typer.echo("nobody is quarantined")


@app.command("retry")
def retry(
    name: Name,
    patient: Annotated[UUID | None, typer.Argument(help="One patient; all of them when left out.")] = None,
    why: Reason = None,
    ticket: Ticket = None,
) -> None:
    """Apply what waits, after what was wrong is mended. Exit code 1 when somebody stopped once more."""
    _tell(
        carried_out(
            lambda opened: operate_projections.retry_quarantined(
                opened, operator_here(), name, patient, Why(why, ticket)
            )
        )
    )


@app.command("skip")
def skip(
    name: Name,
    patient: Annotated[UUID, typer.Argument(help="Whose event is left out.")],
    why: Annotated[str, typer.Option("--why", help="Why; it stands in the log with your name.")],
    ticket: Ticket = None,
) -> None:
    """Leave out, for ever, the event at which a patient stopped, and apply what waits behind it."""
    if not why.strip():
        raise typer.BadParameter("say why the event is left out: it stands in the log", param_hint="--why")
    _tell(
        carried_out(
            lambda opened: operate_projections.skip_quarantined(
                opened, operator_here(), name, patient, why, ticket
            )
        )
    )


def _tell(tried: Tried) -> None:
    typer.echo(f"{tried.current} current again, {tried.stopped} stopped once more")
    raise typer.Exit(1 if tried.stopped else 0)
