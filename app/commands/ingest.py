"""`tsuzuri ingest`: files, folders and NDJSON go in; every file and every line is accounted for."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tsuzuri.app.actions.refusals import Busy, NotPermitted
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.database import ready_database
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES, BundleRejected

FAILED = frozenset({"rejected", "unreadable"})
_SHOWN = ("registered", "replaced", "unchanged", "superseded", "rejected", "not-a-bundle", "unreadable")
_LINE_BYTES_MAX = SIZE_MAX_BYTES + 2  # the largest Bundle there may be, and the end of its line


@dataclass(frozen=True)
class Piece:
    """What may be one Bundle: a file, or one line of an NDJSON file."""

    file: str  # the path; for a line, the path and ":" and its number
    body: bytes  # of what is larger than a Bundle may be, one byte more than that


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
                    yield Piece(f"{_name(path)}:{number}", body)
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
    async with services(settings, dsn) as opened:
        with bar:
            for one in bar.track(found, description="files"):
                for piece in pieces(one) if isinstance(one, Path) else [one]:
                    result = piece if isinstance(piece, Result) else await _register(opened, caller, piece)
                    counts[result.status] += 1
                    tell(result)
    return counts


async def _register(opened: Services, caller: Caller, piece: Piece) -> Result:
    try:
        registered = await register_bundle(opened, caller, piece.body, on_behalf=True)
    except BundleRejected as rejected:
        if rejected.not_a_bundle:
            return Result(piece.file, "not-a-bundle", f"not a Bundle: {rejected.reason}")
        return Result(piece.file, "unreadable" if rejected.unreadable else "rejected", str(rejected))
    except (NotPermitted, Busy) as refused:
        return Result(piece.file, "rejected", str(refused))
    return Result(piece.file, registered.outcome.lower(), "; ".join(registered.warnings) or None)


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
