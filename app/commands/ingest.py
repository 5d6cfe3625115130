"""`tsuzuri ingest`: files, folders and NDJSON go in; every file and every line is accounted for."""

import asyncio
import getpass
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tsuzuri.app.actions.refusals import Busy, NotPermitted
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.database import ready_database
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES, BundleRejected
from tsuzuri.domain.vocabulary import Role

FAILED = frozenset({"rejected", "unreadable"})
_SHOWN = ("registered", "replaced", "unchanged", "superseded", "rejected", "not-a-bundle", "unreadable")


@dataclass(frozen=True)
class Piece:
    """What may be one Bundle: a file, or one line of an NDJSON file."""

    file: str  # the path; for a line, the path and ":" and its number
    body: bytes | None = None
    problem: str | None = None  # why it could not be read at all


@dataclass(frozen=True)
class Result:
    """What became of one piece."""

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
    results = ingest_paths(read_settings(), paths, quiet=as_json)
    if as_json:
        for result in results:
            sys.stdout.buffer.write(orjson.dumps(result) + b"\n")
    else:
        _tell(results)
    raise typer.Exit(1 if any(result.status in FAILED for result in results) else 0)


def ingest_paths(settings: Settings, paths: list[Path], *, quiet: bool) -> list[Result]:
    with ready_database(settings) as dsn:
        return asyncio.run(_ingest(settings, dsn, list(pieces(paths)), quiet=quiet))


def pieces(paths: list[Path]) -> Iterator[Piece]:
    """Everything below the paths, in order of name: nothing is skipped without a word."""
    for path in paths:
        if path.is_dir():
            yield from pieces(sorted(child for child in path.iterdir() if not child.name.startswith(".")))
        elif path.suffix == ".ndjson":
            yield from _lines(path)
        else:
            yield _file(path)


def _file(path: Path) -> Piece:
    try:
        with path.open("rb") as file:
            return Piece(str(path), file.read(SIZE_MAX_BYTES + 1))
    except OSError as error:
        return Piece(str(path), problem=f"cannot be read: {error.strerror}")


def _lines(path: Path) -> Iterator[Piece]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield Piece(f"{path}:{number}", line.rstrip(b"\r\n"))
    except OSError as error:
        yield Piece(str(path), problem=f"cannot be read: {error.strerror}")


async def _ingest(settings: Settings, dsn: str, found: list[Piece], *, quiet: bool) -> list[Result]:
    caller = Caller(person=f"operator:{getpass.getuser()}", role=Role.OPERATOR)
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, quiet=quiet)
    async with services(settings, dsn) as opened:
        with Progress(*columns, console=console, transient=True) as bar:
            return [
                await _register(opened, caller, piece) for piece in bar.track(found, description="Bundles")
            ]


async def _register(opened: Services, caller: Caller, piece: Piece) -> Result:
    if piece.body is None:
        return Result(piece.file, "unreadable", piece.problem)
    try:
        registered = await register_bundle(opened, caller, piece.body)
    except BundleRejected as rejected:
        if rejected.not_a_bundle:
            return Result(piece.file, "not-a-bundle", f"not a Bundle: {rejected.reason}")
        return Result(piece.file, "unreadable" if rejected.unreadable else "rejected", str(rejected))
    except (NotPermitted, Busy) as refused:
        return Result(piece.file, "rejected", str(refused))
    return Result(piece.file, registered.outcome.lower(), "; ".join(registered.warnings) or None)


def _tell(results: list[Result]) -> None:
    for result in results:
        if result.status in FAILED or result.status == "not-a-bundle":
            typer.echo(f"{result.status:13} {result.file}  {result.reason}")
    counts = Counter(result.status for result in results)
    typer.echo(f"{len(results)} read: " + ", ".join(f"{counts[s]} {s}" for s in _SHOWN if counts[s]))
    if results and not counts["registered"] and not counts["replaced"]:
        typer.echo("nothing changed")
