"""`tsuzuri projections`: where they stand, and what an operator orders of them."""

import asyncio
import signal
import time
from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tsuzuri.app.actions import operate_projections
from tsuzuri.app.commands import quarantine
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import Name, Reason, Ticket, carried_out
from tsuzuri.app.commands.projection_words import compared, differences, listed, rebuilding, told
from tsuzuri.app.database import ready_database
from tsuzuri.app.keys import key_encryption
from tsuzuri.app.projector import Projector
from tsuzuri.app.services import logins_of, services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.orders import Why
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.catalogue import PROJECTIONS, projection
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.engine import Progress as Applied
from tsuzuri.projections.generations import check_running, live_generation
from tsuzuri.projections.rebuilding import Rebuilt
from tsuzuri.projections.standings import FillProgress, standings

app = typer.Typer(no_args_is_help=True, help="Projections: where they stand, and what is done with them.")
app.add_typer(quarantine.app, name="quarantine")
_LOOK_SECONDS = 1.0
_PIPE_WIDTH = 200  # a script and a ticket get every column whole


@app.command("list")
def list_projections(
    watch: Annotated[bool, typer.Option(help="Look again each second, until stopped.")] = False,
) -> None:
    """Where each projection's live generation stands, and how far those beside it have come."""
    settings = read_settings()
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    with ready_database(settings) as dsn, logins_of(settings, dsn).connect(LogRole.READER) as connection:
        if not watch:
            console.print(listed(standings(connection)))
            return
        with Live(listed(standings(connection)), console=console) as live:
            while True:
                time.sleep(_LOOK_SECONDS)
                live.update(listed(standings(connection)))


@app.command("catch-up")
def catch_up(
    name: Annotated[str | None, typer.Argument(help="One projection; all of them when left out.")] = None,
    follow: Annotated[bool, typer.Option(help="Go on as events come, until stopped.")] = False,
) -> None:
    """Apply what the log has and the projections lack. Exit code 1 when a patient had to be set aside."""
    settings = read_settings()
    with ready_database(settings) as dsn:
        logins, ring = logins_of(settings, dsn), KeyRing(key_encryption(settings))
        if follow:
            worker = Projector(logins, ring, rebuild_share=settings.rebuild_share)
            signal.signal(signal.SIGTERM, lambda *_: worker.stopping.set())
            worker.run()
            return
        with logins.connect(LogRole.PROJECTOR) as connection:
            engine = Engine(event_mapper(), ring)
            stopped = 0

            def count(applied: Applied) -> None:
                nonlocal stopped
                stopped += applied.quarantined

            for one in [projection(name)] if name else PROJECTIONS.values():
                check_running(connection, one.name)
                live = live_generation(connection, one.name)
                applied = engine.catch_up(connection, one, live, on_progress=count)
                typer.echo(f"{one.name}: at the log's head, {applied.total} events")
        if stopped:
            typer.echo(f"{stopped} patients were set aside: tsuzuri projections quarantine list")
            raise typer.Exit(1)


@app.command("rebuild")
def rebuild(
    name: Name,
    patient: Annotated[
        UUID | None, typer.Option(help="Only this patient's rows, in the live generation.")
    ] = None,
    keep_beside: Annotated[
        bool, typer.Option(help="Do not promote it, even when it is equal to the live one.")
    ] = False,
    why: Reason = None,
    ticket: Ticket = None,
) -> None:
    """Fill a new generation beside the live one, compare them, and let reads follow it when they are equal.

    What was begun and interrupted is gone on with.
    """
    reason = Why(why, ticket)
    if patient is not None:
        current = carried_out(
            lambda opened: operate_projections.rebuild_one_patient(
                opened, operator_here(), name, patient, reason
            )
        )
        typer.echo(
            f"{name}: the patient's rows are made anew"
            if current
            else f"{name}: the patient stopped at an event"
        )
        raise typer.Exit(0 if current else 1)
    settings = read_settings()
    with ready_database(settings) as dsn:
        rebuilt = asyncio.run(rebuild_with_bar(settings, dsn, name, reason, promote_if_equal=not keep_beside))
    typer.echo(told(name, rebuilt))
    _tell_differences(rebuilt)
    equal = rebuilt.comparison is None or rebuilt.comparison.equal
    raise typer.Exit(0 if equal else 1)


async def rebuild_with_bar(
    settings: Settings, dsn: str, name: str, why: Why, *, promote_if_equal: bool = True
) -> Rebuilt:
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events"),
        TimeRemainingColumn(),
    )
    async with services(settings, dsn) as opened:
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(f"rebuild {name}", total=None)

            def show(progress: FillProgress) -> None:
                bar.update(
                    task, description=rebuilding(progress), completed=progress.done, total=progress.total
                )

            return await operate_projections.rebuild_projection(
                opened, operator_here(), name, why, promote_if_equal=promote_if_equal, on_progress=show
            )


@app.command("check")
def check(name: Name) -> None:
    """Compare the generation beside the live one with it, patient by patient. Exit code 1 when any differs."""
    found = carried_out(lambda opened: operate_projections.check_projection(opened, operator_here(), name))
    typer.echo(compared(name, found))
    if found is not None and not found.equal:
        _tell_lines(differences(found))
        raise typer.Exit(1)


@app.command("promote")
def promote(
    name: Name,
    generation: Annotated[int | None, typer.Option(help="Another than the one that waits.")] = None,
    why: Reason = None,
    ticket: Ticket = None,
) -> None:
    """Let reads follow the generation that waits."""
    number = carried_out(
        lambda opened: operate_projections.promote_projection(
            opened, operator_here(), name, Why(why, ticket), generation=generation
        )
    )
    typer.echo(f"{name}: reads follow generation {number} now; back: tsuzuri projections rollback {name}")


@app.command("rollback")
def rollback(name: Name, why: Reason = None, ticket: Ticket = None) -> None:
    """Let reads follow the generation they followed before."""
    number = carried_out(
        lambda opened: operate_projections.roll_back_projection(
            opened, operator_here(), name, Why(why, ticket)
        )
    )
    typer.echo(f"{name}: reads follow generation {number} again")


@app.command("pause")
def pause(name: Name, why: Reason = None, ticket: Ticket = None) -> None:
    """Apply nothing to any of its generations after the batch under way. Reads go on, and say what they lack."""
    _pause(name, Why(why, ticket), paused=True)
    typer.echo(f"{name}: paused; go on: tsuzuri projections resume {name}")


@app.command("resume")
def resume(name: Name, why: Reason = None, ticket: Ticket = None) -> None:
    """Go on where it was paused."""
    _pause(name, Why(why, ticket), paused=False)
    typer.echo(f"{name}: goes on")


@app.command("cancel")
def cancel(name: Name, why: Reason = None, ticket: Ticket = None) -> None:
    """Drop the generation that is being filled, or waits to be promoted."""
    number = carried_out(
        lambda opened: operate_projections.cancel_rebuild(opened, operator_here(), name, Why(why, ticket))
    )
    typer.echo(f"{name}: generation {number} is dropped")


@app.command("drop")
def drop(name: Name, why: Reason = None, ticket: Ticket = None) -> None:
    """Drop the generations that reads followed once. After that there is no rollback."""
    numbers = carried_out(
        lambda opened: operate_projections.drop_generations(opened, operator_here(), name, Why(why, ticket))
    )
    typer.echo(f"{name}: dropped {', '.join(map(str, numbers)) or 'none'}")


def _pause(name: str, why: Why, *, paused: bool) -> None:
    carried_out(
        lambda opened: operate_projections.pause_projection(opened, operator_here(), name, why, paused=paused)
    )


def _tell_differences(rebuilt: Rebuilt) -> None:
    if rebuilt.comparison is not None and not rebuilt.comparison.equal:
        _tell_lines(differences(rebuilt.comparison))


def _tell_lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
