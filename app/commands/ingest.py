"""`tsuzuri ingest`: files, folders and NDJSON go in; every file and every line is accounted for."""

import asyncio
import os
import sys
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import orjson
import typer

from tsuzuri.app.actions.decide_bundle import may_register
from tsuzuri.app.actions.known_bundles import InForce
from tsuzuri.app.actions.register_bundles import Read, Refused, read_bundles, store_bundles
from tsuzuri.app.broken_rules import broken_rules
from tsuzuri.app.commands.given_files import Piece, Result, find, pieces
from tsuzuri.app.commands.ingest_progress import IngestProgress
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.reading_ahead import beside
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
_LET_GO_SECONDS = 2.0
_WINDOWS_AHEAD = 2  # the readers go on with the second while what the first said is decided
Window = list[Piece | Result]


app = typer.Typer()


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, NDJSON.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each file.")] = False,
) -> None:
    """Register Bundles from files. Exit code 1 when any was rejected or could not be read.

    One that was ended is gone on with by the same command: what is stored is found to be so, and not read again.
    """
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
    may_register(caller, on_behalf=True)
    counts: Counter[str] = Counter()
    workers = (os.cpu_count() or 1) if _many(found) else 0
    each = (piece for one in found for piece in (pieces(one) if isinstance(one, Path) else [one]))
    async with services(settings, dsn, reader_processes=workers) as opened:
        with IngestProgress(found, quiet=quiet) as progress:
            async with aclosing(registering(opened, caller, windows(each))) as done:
                async for window, results in done:
                    for result in results:
                        counts[result.status] += 1
                        tell(result)
                    progress.done(window)
    return counts


def _many(found: list[Path | Result]) -> bool:
    """Whether starting processes that read Bundles is worth the seconds it takes."""
    return len(found) > _FEW or any(isinstance(one, Path) and one.suffix == ".ndjson" for one in found)


def windows(each: Iterable[Piece | Result]) -> Iterator[Window]:
    """What is worked on at once: so many pieces, and so many bytes, that they fit into memory."""
    window: Window = []
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


async def registering(
    opened: Services, caller: Caller, given: Iterator[Window]
) -> AsyncGenerator[tuple[Window, list[Result]], None]:
    """Each window and what became of its pieces. While one is stored, the next ones are read."""
    one_by_one = asyncio.Lock()

    async def read_next() -> tuple[Window, list[Read]]:
        async with one_by_one:
            window = await beside(lambda: next(given, []))
        bodies = [piece.body for piece in window if isinstance(piece, Piece)]
        return window, await read_bundles(opened, caller, bodies, known=True)

    coming = deque(asyncio.create_task(read_next()) for _ in range(_WINDOWS_AHEAD))
    try:
        while (come := await coming.popleft())[0]:
            coming.append(asyncio.create_task(read_next()))
            yield come[0], await _stored(opened, caller, *come)
    finally:
        # What is being read comes to its end, unless it waits for more to be given: nothing is broken off in a query.
        _, waiting = await asyncio.wait(coming, timeout=_LET_GO_SECONDS) if coming else (set(), set())
        for reading in waiting:
            reading.cancel()
        await asyncio.gather(*coming, return_exceptions=True)  # what went wrong was told by the first of them


async def _stored(opened: Services, caller: Caller, window: Window, read: list[Read]) -> list[Result]:
    """What became of each, in their order."""
    told = iter(await store_bundles(opened, caller, read))
    return [_result(piece.file, next(told)) if isinstance(piece, Piece) else piece for piece in window]


def _result(file: str, told: RegisteredBundle | InForce | Refused) -> Result:
    match told:
        case RegisteredBundle():
            return Result(file, told.outcome.lower(), "; ".join(told.warnings) or None)
        case InForce():
            return Result(file, told.outcome.lower())
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
