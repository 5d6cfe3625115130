"""`tsuzuri db`: the database is brought up to this program when an operator says so."""

import typer

from tsuzuri.app.commands.restored import restored
from tsuzuri.app.database import bring_up, database
from tsuzuri.app.migrate import pending_migrations
from tsuzuri.app.settings import read_settings
from tsuzuri.eventlog.connecting import connect
from tsuzuri.projections.generations import unprepared

app = typer.Typer(no_args_is_help=True, help="The database.")
app.command("restored")(restored)


@app.command("migrate")
def migrate_database() -> None:
    """Bring the database up to this program."""
    settings = read_settings()
    with database(settings) as dsn:
        for applied in bring_up(settings, dsn):
            typer.echo(f"applied {applied.number:04}_{applied.name}")
    typer.echo("the database fits this program")


@app.command("status")
def status() -> None:
    """What `migrate` would do. Exit code 1 when it would do anything."""
    with database(read_settings()) as dsn, connect(dsn) as connection:
        waiting = [f"{migration.number:04}_{migration.name}" for migration in pending_migrations(connection)]
        waiting = waiting or unprepared(connection)
    for one in waiting:
        typer.echo(f"pending {one}")
    typer.echo("run: tsuzuri db migrate" if waiting else "the database fits this program")
    raise typer.Exit(1 if waiting else 0)
