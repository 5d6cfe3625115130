"""`tsuzuri facilities`: 医療機関, as the operating body lists them."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tsuzuri.app.actions.close_facility import close_facility
from tsuzuri.app.actions.list_facilities import list_facilities
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import Reason, carried_out
from tsuzuri.app.services import Services
from tsuzuri.domain.facility_files import read_facilities
from tsuzuri.domain.vocabulary import FACILITY_TERMS, FacilityKind
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.facilities import FacilityRow
from tsuzuri.projections.facility_list import listed

app = typer.Typer(no_args_is_help=True, help="医療機関: the list of facilities.")


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON.", exists=True, dir_okay=False)],
) -> None:
    """Enter facilities from a file, all of them or none; what the list says already changes nothing."""
    facilities = read_facilities(file.read_bytes())
    changed = carried_out(lambda opened: list_facilities(opened, operator_here(), facilities))
    typer.echo(f"{len(facilities)} facilities read, {changed} entered or changed")


@app.command("list")
def list_entries(
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each facility.")] = False,
) -> None:
    """The listed facilities, by number, also those that are closed; as far as the projection has come."""

    async def work(opened: Services) -> None:
        with opened.logins.connect(LogRole.READER) as connection:
            for row in listed(connection):
                if as_json:
                    sys.stdout.buffer.write(msgspec.json.encode(_json(row)) + b"\n")
                else:
                    typer.echo(_line(row))

    carried_out(work)


@app.command("close")
def close(
    number: Annotated[str, typer.Argument(help="医療機関番号: 10 digits.")], reason: Reason = None
) -> None:
    """Close a facility: its entry stays, its emergency right ends. To open it again, load it anew."""
    closed = carried_out(lambda opened: close_facility(opened, operator_here(), number, reason))
    typer.echo(f"{number} is closed" if closed else f"{number} was closed already")


def _line(row: FacilityRow) -> str:
    kind = FACILITY_TERMS[FacilityKind(row.kind)] if row.kind in set(FacilityKind) else row.kind
    marks = (
        row.municipality_name,
        "、".join(row.departments) or None,
        "救急" if row.emergency else None,
        None if row.closed_at is None else f"closed {row.closed_at:%Y-%m-%d %H:%M:%S%z}",
    )
    return "  ".join([row.facility, kind, row.name, *filter(None, marks)])


def _json(row: FacilityRow) -> dict[str, object]:
    """As a file of facilities says it, with when it was entered and closed."""
    told = msgspec.structs.asdict(row)
    del told["owner_id"], told["sought"]
    return {"number": told.pop("facility"), **told}
