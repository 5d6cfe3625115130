"""`tsuzuri identities`: whom Bundles are about, and who is the same person. See OPERATIONS, "Identities"."""

import sys
from typing import Annotated
from uuid import UUID

import msgspec
import typer

from tsuzuri.app.actions.link_patients import link_patients, unlink_patients
from tsuzuri.app.actions.settle_identity import settle_identity
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.services import Services
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.identity_queue import linked, unsettled

Reason = Annotated[str, typer.Option("--why", help="Why; kept in the log. No names or numbers.")]

app = typer.Typer(no_args_is_help=True, help="Identities that a person must look at.")


@app.command("list")
def list_identities(
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
) -> None:
    """What waits, the longest first; as far as the projection has come. No names and no numbers."""

    async def work(opened: Services) -> None:
        with opened.logins.connect(LogRole.READER) as connection:
            for row in unsettled(connection):
                if as_json:
                    told = msgspec.structs.asdict(row)
                    del told["settled_at"]
                    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
                    continue
                other = "" if row.other is None else f"  other {row.other}"
                typer.echo(
                    f"{row.identity}  {row.reason}  patient {row.patient_id}{other}  "
                    f"from {row.facility}  since {row.since:%Y-%m-%d %H:%M:%S%z}"
                )

    carried_out(work)


@app.command("settle")
def settle(
    patient: Annotated[UUID, typer.Argument(help="The patient's id, as `list` tells it.")],
    identity: Annotated[UUID, typer.Argument(help="The id that stands first in the line of `list`.")],
    reason: Reason,
) -> None:
    """Take it out of the queue. No number changes hands."""
    event = carried_out(
        lambda opened: settle_identity(opened, operator_here(), patient, identity, reason=reason)
    )
    typer.echo(f"settled by event {event}")


@app.command("link")
def link(
    survivor: Annotated[UUID, typer.Argument(help="Who stands for both from here on.")],
    other: Annotated[UUID, typer.Argument(help="Who is the same person.")],
    reason: Reason,
) -> None:
    """Two patients are one person: reads of either cover both. Nothing moves."""
    made = carried_out(lambda opened: link_patients(opened, operator_here(), survivor, other, reason=reason))
    typer.echo(f"link {made}")


@app.command("unlink")
def unlink(
    patient: Annotated[UUID, typer.Argument(help="One of those it links.")],
    link: Annotated[UUID, typer.Argument(help="As `link` and `links` print it.")],
    reason: Reason,
) -> None:
    """Undo a link: no read of one shows anything of the other any more."""
    undone = carried_out(
        lambda opened: unlink_patients(opened, operator_here(), patient, link, reason=reason)
    )
    typer.echo(f"undone: link {undone}")


@app.command("links")
def links(
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each.")] = False,
) -> None:
    """The links that hold, the longest first; as far as the projection has come."""

    async def work(opened: Services) -> None:
        with opened.logins.connect(LogRole.READER) as connection:
            for row in linked(connection):
                if as_json:
                    told = msgspec.structs.asdict(row)
                    del told["patient_id"], told["undone_at"]
                    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
                    continue
                typer.echo(
                    f"{row.link}  {row.survivor} stands for {row.other}  by {row.linked_by}  "
                    f"since {row.since:%Y-%m-%d %H:%M:%S%z}"
                )

    carried_out(work)
