"""`tsuzuri facilities`: 医療機関, as the operating body lists them."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tsuzuri.app.actions.list_facilities import list_facilities
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.database import ready_database
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.facilities import Facility

app = typer.Typer(no_args_is_help=True, help="医療機関: the list of facilities.")


@app.callback()
def facilities() -> None:
    """医療機関: the list of facilities."""


@app.command("load")
def load(file: Annotated[Path, typer.Argument(help="A JSON array of facilities.")]) -> None:
    """Enter facilities from a file; what the list says already changes nothing."""
    settings = read_settings()
    try:
        facilities = msgspec.json.decode(file.read_bytes(), type=list[Facility])
    except (OSError, msgspec.MsgspecError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None
    with ready_database(settings) as dsn:
        changed = asyncio.run(_load(settings, dsn, facilities))
    typer.echo(f"{len(facilities)} facilities read, {changed} entered or changed")


async def _load(settings: Settings, dsn: str, facilities: list[Facility]) -> int:
    caller = operator_here()
    async with services(settings, dsn) as opened:
        return await list_facilities(opened, caller, facilities)
