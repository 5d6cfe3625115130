"""`tsuzuri ingest`: files, folders and NDJSON go in; every file and every line is accounted for."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tsuzuri.app.actions.register_bundles import Refused, register_bundles
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.database import ready_database
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES, BundleRejected
from tsuzuri.domain.registrations import RegisteredBundle

FAILED = frozenset({"rejected", "unreadable"})
_SHOWN = ("registered", "replaced", "unchanged", "superseded", "rejected", "not-a-bundle", "unreadable")
_FEW = 50
_WINDOW_PIECES, _WINDOW_BYTES = 200, 32 * 1024 * 1024
_LINE_BYTES_MAX = SIZE_MAX_BYTES + 2  # the largest Bundle there may be, and the end of its line


@dataclass(frozen=True)
class Piece:
    """What may be one Bundle: a file, or one line of an NDJSON file."""

    file: str  # the path; for a line, the path and ":" and its number
    body: bytes  # of what is larger than a Bundle may be, one byte more than that
    last: bool = False  # nothing may come behind it for long: it came out of a pipe


@dataclass(frozen=True)
class Result:
    """What became of one piece, or of a path that could not be looked into."""

    file: str
    status: str
    reason: str | None = None


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


def find(paths: list[Path]) -> Iterator[Path | Result]:
    """Every file below the paths, in order of name: nothing is skipped without a word.

    A folder that links lead to a second time is read once, or a loop of them would be read for ever.
    """
    for given in paths:
        seen: dict[tuple[int, int], Path] = {}
        waiting = [given]
        while waiting:
            path = waiting.pop()
            try:
                found = path.stat()
                if S_ISDIR(found.st_mode):
                    first = seen.setdefault((found.st_dev, found.st_ino), path)
                    if first is path:
                        waiting += sorted(path.iterdir(), reverse=True)
                    else:
                        yield Result(_name(path), "not-a-bundle", f"the same folder as {_name(first)}")
                elif S_ISREG(found.st_mode) or path is given:  # named by a person, a pipe is meant
                    yield path
                else:
                    yield Result(_name(path), "unreadable", "neither a file nor a folder")
            except OSError as error:
                yield _unreadable(path, error)


def pieces(path: Path) -> Iterator[Piece | Result]:
    """The file, or its lines one by one: no more than one is held in memory."""
    try:
        with path.open("rb") as file:
            piped = not S_ISREG(os.fstat(file.fileno()).st_mode)
            if path.suffix != ".ndjson":
                yield Piece(_name(path), file.read(SIZE_MAX_BYTES + 1))
                return
            number = 0
            while line := file.readline(_LINE_BYTES_MAX):
                number += 1
                body, rest = line.rstrip(b"\r\n"), line
                while len(rest) >= _LINE_BYTES_MAX and not rest.endswith(b"\n"):
                    body, rest = line[: SIZE_MAX_BYTES + 1], file.readline(_LINE_BYTES_MAX)
                if body.strip() or len(body) > SIZE_MAX_BYTES:
                    yield Piece(f"{_name(path)}:{number}", body, last=piped)
    except OSError as error:
        yield _unreadable(path, error)


def _unreadable(path: Path, error: OSError) -> Result:
    return Result(_name(path), "unreadable", f"cannot be read: {error.strerror}")


def _name(path: Path) -> str:
    """The path as it can be printed: names of files are bytes, and need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


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
        case _:
            return Result(file, "rejected", str(told))


def _tell_program(result: Result) -> None:
    sys.stdout.buffer.write(orjson.dumps(result) + b"\n")
    sys.stdout.buffer.flush()  # who is killed has told what it had done


def _tell_person(result: Result) -> None:
    if result.status in FAILED or result.status == "not-a-bundle":
        print(f"{result.status:13} {result.file}  {result.reason}", flush=True)


def _tell_counts(counts: Counter[str]) -> None:
    print(f"{counts.total()} read: " + ", ".join(f"{counts[s]} {s}" for s in _SHOWN if counts[s]))
    if counts and not counts["registered"] and not counts["replaced"]:
        print("nothing changed")
