"""`tsuzuri projections`: where they stand, catching up alone, and rebuilding beside the live one."""

import asyncio
import signal
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from tsuzuri.app.actions.rebuild_projection import rebuild_projection
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.database import ready_database
from tsuzuri.app.keys import key_encryption
from tsuzuri.app.projector import Projector
from tsuzuri.app.services import logins_of, services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.catalogue import PROJECTIONS, projection
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.engine import Progress as Applied
from tsuzuri.projections.generations import Rebuilt, live_generation, standings

app = typer.Typer(no_args_is_help=True, help="Projections: where they stand, catch up, rebuild.")


@app.command("list")
def list_projections() -> None:
    """Where each projection's live generation stands."""
    settings = read_settings()
    with ready_database(settings) as dsn, logins_of(settings, dsn).connect(LogRole.READER) as connection:
        headings = ("projection", "generation", "position", "lag events", "lag seconds", "kept beside")
        table = Table(
            *(Column(heading, no_wrap=True) for heading in headings),
            box=SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            pad_edge=False,
        )
        for s in standings(connection):
            beside = ", ".join(map(str, s.other_generations)) or "-"
            table.add_row(
                s.name, str(s.generation), str(s.position), str(s.lag_events), f"{s.lag_seconds:.1f}", beside
            )
    Console().print(table)


@app.command("catch-up")
def catch_up(
    name: Annotated[str | None, typer.Argument(help="One projection; all of them when left out.")] = None,
    follow: Annotated[bool, typer.Option(help="Go on as events come, until stopped.")] = False,
) -> None:
    """Apply what the log has and the projections lack."""
    settings = read_settings()
    with ready_database(settings) as dsn:
        logins, ring = logins_of(settings, dsn), KeyRing(key_encryption(settings))
        if follow:
            worker = Projector(logins, ring)
            signal.signal(signal.SIGTERM, lambda *_: worker.stopping.set())
            worker.run()
            return
        with logins.connect(LogRole.PROJECTOR) as connection:
            engine = Engine(event_mapper(), ring)
            for one in [projection(name)] if name else PROJECTIONS.values():
                applied = engine.catch_up(connection, one, live_generation(connection, one.name))
                typer.echo(f"{one.name}: at the log's head, {applied.total} events")


@app.command("rebuild")
def rebuild(name: Annotated[str, typer.Argument(help="The projection.")]) -> None:
    """Fill a new generation beside the live one, compare them, and let reads follow it when they are equal."""
    settings = read_settings()
    with ready_database(settings) as dsn:
        rebuilt = asyncio.run(rebuild_with_bar(settings, dsn, name))
    typer.echo(told(name, rebuilt))
    raise typer.Exit(0 if rebuilt.promoted else 1)


async def rebuild_with_bar(settings: Settings, dsn: str, name: str) -> Rebuilt:
    columns: tuple[Any, ...] = (
        TextColumn(f"rebuild {name}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events"),
        TimeRemainingColumn(),
    )
    caller = operator_here()
    async with services(settings, dsn) as opened:
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(name, total=None)

            def show(applied: Applied) -> None:
                bar.update(task, completed=applied.done, total=applied.total)

            return await asyncio.to_thread(rebuild_projection, opened, caller, name, on_progress=show)


def told(name: str, rebuilt: Rebuilt) -> str:
    """The outcome in one line."""
    new, old, comparison = rebuilt.generation, rebuilt.live, rebuilt.comparison
    if comparison is None:
        return (
            f"{name}: generation {new} is filled; generation {old} was of another version of the code, so the two "
            f"were not compared; reads follow generation {new} now"
        )
    if comparison.equal:
        return (
            f"{name}: generation {new} has {comparison.rows} rows, equal to generation {old}; "
            f"reads follow generation {new} now"
        )
    return (
        f"{name}: generation {new} has {comparison.rows} rows and differs from generation {old} "
        f"for {len(comparison.differing)} patients; reads still follow generation {old}"
    )
