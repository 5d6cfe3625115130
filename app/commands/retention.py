"""`tsuzuri retention`: erase what is past its time. See OPERATIONS, "Erasing what is past its time"."""

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer

from tsuzuri.app.actions.erase_expired import Account, moment_to_erase_by, plan_retention, run_retention
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.services import Services
from tsuzuri.domain.expiry import Expired

app = typer.Typer(no_args_is_help=True, help="Erase what is past its time: what may be seen no more.")
Limit = Annotated[int, typer.Option(min=1, help="Of how many Bundles at most.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="A line of JSON for each Bundle, and one of the account.")
]
_LIMIT = 10_000
_JAPAN = timezone(timedelta(hours=9))


@app.command("plan")
def plan(
    at: Annotated[
        str | None,
        typer.Option(help="Another moment than now: 2027-04-01, in Japan unless it names its zone."),
    ] = None,
    limit: Limit = _LIMIT,
    as_json: AsJson = False,
) -> None:
    """List what a run would erase, and erase nothing. Ids, classes and moments; no names, no numbers."""
    asked = None if at is None else _moment(at)

    async def work(opened: Services) -> Account:
        moment = opened.now() if asked is None else asked
        return await plan_retention(opened, operator_here(), moment, limit=limit, tell=_teller(as_json))

    _told("would be erased", as_json, work)


@app.command("run")
def run(limit: Limit = _LIMIT, as_json: AsJson = False) -> None:
    """Erase what is past its time now, for ever. What was broken off is gone on with by the same command."""

    async def work(opened: Services) -> Account:
        moment = await moment_to_erase_by(opened)
        return await run_retention(opened, operator_here(), moment, limit=limit, tell=_teller(as_json))

    _told("erased", as_json, work)


def _told(what: str, as_json: bool, work: Callable[[Services], Awaitable[Account]]) -> None:
    account = carried_out(work)
    if as_json:
        _line_of_json(msgspec.to_builtins(account))
        return
    classes = ", ".join(f"{one} {number}" for one, number in sorted(account.classes.items())) or "none"
    typer.echo(f"{account.bundles} Bundles of {account.patients} patients {what}: {classes}")
    if account.held:
        typer.echo(f"{account.held} patients were passed over: a hold stands")
    if account.behind:
        typer.echo(f"{account.behind} patients were passed over: the index was behind their records")
    if account.unreadable:
        typer.echo(
            f"{account.unreadable} patients were passed over: an event of theirs cannot be read; tell the auditor"
        )
    if account.more:
        typer.echo("there is more: --limit was reached")


def _teller(as_json: bool) -> Callable[[UUID, Expired], None]:
    def tell(patient: UUID, one: Expired) -> None:
        if as_json:
            _line_of_json({"patient": patient, **msgspec.to_builtins(one)})
            return
        classes = ", ".join(one.classes)
        typer.echo(f"{patient}  {one.document}  {one.kind}  {classes}  past {one.since:%Y-%m-%d %H:%M:%S%z}")

    return tell


def _line_of_json(told: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--at is a moment: 2027-04-01 or 2027-04-01T09:00:00+09:00") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=_JAPAN)
