"""`tsuzuri ingest`: files, folders and NDJSON go in; every file and every line is accounted for."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tsuzuri.app.actions.register_bundles import Refused, register_bundles
from tsuzuri.app.broken_rules import broken_rules
from tsuzuri.app.commands.given_files import Piece, Result, find, pieces
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.database import ready_database
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.registrations import RegisteredBundle

FAILED = frozenset({"rejected", "unreadable"})
_SHOWN = ("registered", "replaced", "unchanged", "superseded", "rejected", "not-a-bundle", "unreadable")
_FEW = 50
_WINDOW_PIECES, _WINDOW_BYTES = 200, 32 * 1024 * 1024


app = typer.Typer()


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, NDJSON.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each file.")] = False,
) -> None:
    """Register Bundles from files. Exit code 1 when any was rejected or could not be read."""
    settings = read_settings()
    with ready_database(settings) as dsn:
        tell = _tell_program if as_json else _tell_person
        counts = asyncio.run(_ingest(settings, dsn, list(find(paths)), tell, quiet=as_json))
    if not as_json:
        _tell_counts(counts)
    raise typer.Exit(1 if FAILED & counts.keys() else 0)


async def _ingest(
    settings: Settings, dsn: str, found: list[Path | Result], tell: Callable[[Result], None], *, quiet: bool
) -> Counter[str]:
    caller = operator_here()
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    # On a terminal the lines are printed above the bar; into a pipe they must not take its way, standard error.
    console = Console(stderr=True)
    bar = Progress(
        *columns,
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),
    )
    counts: Counter[str] = Counter()
    workers = (os.cpu_count() or 1) if _many(found) else 0
    async with services(settings, dsn, reader_processes=workers) as opened:
        with bar:
            each = (piece for one in bar.track(found, description="files") for piece in _pieces_of(one))
            for window in windows(each):
                for result in await _register(opened, caller, window):
                    counts[result.status] += 1
                    tell(result)
    return counts


def _many(found: list[Path | Result]) -> bool:
    """Whether starting processes that read Bundles is worth the seconds it takes."""
    return len(found) > _FEW or any(isinstance(one, Path) and one.suffix == ".ndjson" for one in found)


def _pieces_of(one: Path | Result) -> Iterator[Piece | Result]:
    return pieces(one) if isinstance(one, Path) else iter([one])


def windows(each: Iterable[Piece | Result]) -> Iterator[list[Piece | Result]]:
    """What is worked on at once: so many pieces, and so many bytes, that they fit into memory."""
    window: list[Piece | Result] = []
    weight = 0
    for piece in each:
        window.append(piece)
        weight += len(piece.body) if isinstance(piece, Piece) else 0
        piped = isinstance(piece, Piece) and piece.last
        if len(window) == _WINDOW_PIECES or weight > _WINDOW_BYTES or piped:
            yield window
            window, weight = [], 0
    if window:
        yield window


async def _register(opened: Services, caller: Caller, window: list[Piece | Result]) -> list[Result]:
    """What became of each, in their order."""
    bodies = [piece.body for piece in window if isinstance(piece, Piece)]
    told = iter(await register_bundles(opened, caller, bodies, on_behalf=True))
    return [_result(piece.file, next(told)) if isinstance(piece, Piece) else piece for piece in window]


def _result(file: str, told: RegisteredBundle | Refused) -> Result:
    match told:
        case RegisteredBundle():
            return Result(file, told.outcome.lower(), "; ".join(told.warnings) or None)
        case BundleRejected(not_a_bundle=True):
            return Result(file, "not-a-bundle", f"not a Bundle: {told.reason}")
        case BundleRejected(unreadable=True):
            return Result(file, "unreadable", str(told))
        case BundleRejected():
            return Result(file, "rejected", str(told), tuple(broken_rules(told.broken)))
        case _:
            return Result(file, "rejected", str(told))


def _tell_program(result: Result) -> None:
    line = {name: value for name, value in vars(result).items() if name != "broken" or value}
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()  # who is killed has told what it had done


def _tell_person(result: Result) -> None:
    if result.status in FAILED or result.status == "not-a-bundle":
        print(f"{result.status:13} {result.file}  {result.reason}", flush=True)


def _tell_counts(counts: Counter[str]) -> None:
    print(f"{counts.total()} read: " + ", ".join(f"{counts[s]} {s}" for s in _SHOWN if counts[s]))
    if counts and not counts["registered"] and not counts["replaced"]:
        print("nothing changed")
