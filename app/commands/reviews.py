"""`tsuzuri reviews`: ask the rules for unusual access. See OPERATIONS, "Reviews"."""

from datetime import datetime, timedelta, timezone
from typing import Annotated

import typer

from tsuzuri.app.actions.find_unusual import check_unusual, find_unusual, judge
from tsuzuri.app.commands.moments import japanese_moment
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.services import Services
from tsuzuri.domain.unusual_found import UnusualAccess
from tsuzuri.domain.unusual_rules import NEWEST, rules_named

app = typer.Typer(no_args_is_help=True, help="Reads that a person must look at.")
From = Annotated[str | None, typer.Option("--from", help="From this moment on: 2027-04-01, in Japan.")]
To = Annotated[str | None, typer.Option("--to", help="Before this moment.")]
Rules = Annotated[str, typer.Option(help="The version of the rules.")]
_JAPAN = timezone(timedelta(hours=9))


@app.command("find")
def find(
    since: From = None,
    until: To = None,
    rules: Rules = NEWEST,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what is found, and store nothing.")
    ] = False,
) -> None:
    """Open a review for each thing the rules notice, once. Without moments: the last days that can be judged."""
    version, begin, end = rules_named(rules), japanese_moment(since), japanese_moment(until)

    async def work(opened: Services) -> None:
        if dry_run:
            judged, new = await judge(opened, operator_here(), version, begin, end), None
        else:
            judged, new = await find_unusual(opened, operator_here(), version, begin, end)
        for one in judged.found:
            typer.echo(_line(one))
        stored = "nothing was stored" if new is None else f"{len(new)} reviews were opened"
        typer.echo(
            f"{len(judged.found)} found by {version.version} from {_told(judged.since)} to {_told(judged.until)}: "
            f"{stored}"
        )

    carried_out(work)


@app.command("check")
def check(since: From = None, until: To = None, rules: Rules = NEWEST) -> None:
    """Ask the rules once more, and compare with the reviews they opened. Exit code 1: there is a difference."""
    version, begin, end = rules_named(rules), japanese_moment(since), japanese_moment(until)

    async def work(opened: Services) -> bool:
        judged, differences = await check_unusual(opened, operator_here(), version, begin, end)
        for review in differences.only_stored:
            typer.echo(f"{review}  is stored and was not found again")
        for review in differences.changed:
            typer.echo(f"{review}  was found again with other reads")
        for one in differences.only_found:
            typer.echo(f"{_line(one)}  is not stored: run find")
        typer.echo(
            f"{differences.same} found again by {version.version} from {_told(judged.since)} to {_told(judged.until)}"
        )
        if differences.erased:
            typer.echo(
                f"{differences.erased} cannot be asked again: something of the patients was erased, or cannot be read"
            )
        return bool(differences)

    if carried_out(work):
        raise typer.Exit(1)


def _line(one: UnusualAccess) -> str:
    return (
        f"{one.id}  {one.rule}  {one.person}  {one.facility}  {_told(one.since)} to {_told(one.until)}  "
        f"{one.says}  {one.says_ja}"
    )


def _told(at: datetime) -> str:
    return f"{at.astimezone(_JAPAN):%Y-%m-%d %H:%M}"
