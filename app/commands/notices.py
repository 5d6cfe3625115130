"""`tsuzuri notices`: what patients are told of reads without consent. See OPERATIONS, "Notices"."""

import typer

from tsuzuri.app.database import ready_database
from tsuzuri.app.notices.beside import sender_of
from tsuzuri.app.notices.place import sending
from tsuzuri.app.services import logins_of
from tsuzuri.app.settings import read_settings
from tsuzuri.eventlog.connecting import LogRole

app = typer.Typer(no_args_is_help=True, help="Notices: patients are told of reads without consent.")


@app.command("send")
def send() -> None:
    """Deliver what waits, once, for cron. `tsuzuri serve` does the same all the time."""
    settings = read_settings()
    with ready_database(settings) as dsn:
        sent = sender_of(settings, dsn).send()
    if sent is None:
        typer.echo("another process sends: nothing was done here")
        return
    typer.echo(f"{sent.delivered} notices delivered")
    if sent.waiting:
        typer.echo("there are more that could not be: see the log lines above, and run this again", err=True)
        raise typer.Exit(1)


@app.command("status")
def status() -> None:
    """Who sends, and how far behind the log that is."""
    settings = read_settings()
    with ready_database(settings) as dsn, logins_of(settings, dsn).connect(LogRole.READER) as connection:
        found = sending(connection)
    typer.echo(f"sent by: {found.sender or 'nobody now'}")
    behind = f"an event of {found.lag_seconds:.0f} s ago" if found.lag_seconds else "nothing"
    typer.echo(f"not gone through yet: {behind}")
