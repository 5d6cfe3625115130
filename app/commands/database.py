"""`tsuzuri db` and `tsuzuri facilities`: what an operator sets up."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from psycopg import Connection

from tsuzuri.app.actions.list_facilities import list_facilities
from tsuzuri.app.database import database, ready_database
from tsuzuri.app.migrate import migrate, pending_migrations
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.facilities import Facility
from tsuzuri.domain.vocabulary import Role
from tsuzuri.projections.generations import prepare

app = typer.Typer(no_args_is_help=True, help="The database.")
facilities_app = typer.Typer(no_args_is_help=True, help="医療機関: the list of facilities.")


@app.command("migrate")
def migrate_database() -> None:
    """Bring the database up to this program."""
    settings = read_settings()
    with database(settings) as dsn, Connection.connect(dsn, autocommit=True) as connection:
        for applied in migrate(connection, parts=settings.parts):
            typer.echo(f"applied {applied.number:04}_{applied.name}")
        prepare(connection)
    typer.echo("the database fits this program")


@app.command("status")
def status() -> None:
    """What `migrate` would do. Exit code 1 when it would do anything."""
    with database(read_settings()) as dsn, Connection.connect(dsn, autocommit=True) as connection:
        waiting = pending_migrations(connection)
    for migration in waiting:
        typer.echo(f"pending {migration.number:04}_{migration.name}")
    typer.echo("run: tsuzuri db migrate" if waiting else "the database fits this program")
    raise typer.Exit(1 if waiting else 0)


@facilities_app.command("load")
def load(file: Annotated[Path, typer.Argument(help="A JSON array of facilities.")]) -> None:
    """Enter facilities from a file; what the list says already changes nothing."""
    settings = read_settings()
    facilities = msgspec.json.decode(file.read_bytes(), type=list[Facility])
    with ready_database(settings) as dsn:
        changed = asyncio.run(_load(settings, dsn, facilities))
    typer.echo(f"{len(facilities)} facilities read, {changed} entered or changed")


async def _load(settings: Settings, dsn: str, facilities: list[Facility]) -> int:
    caller = Caller(person=f"operator:{getpass.getuser()}", role=Role.OPERATOR)
    async with services(settings, dsn) as opened:
        return await list_facilities(opened, caller, facilities)
