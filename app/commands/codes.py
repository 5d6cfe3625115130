"""`tsuzuri codes`: コードの維持管理. The releases of the codes, what one would change, and what none knows."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from psycopg import Connection

from tsuzuri.app.actions.take_release import take_release
from tsuzuri.app.commands import code_words
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.services import Services
from tsuzuri.domain.code_changes import code_changes
from tsuzuri.domain.code_files import canonical_bytes, read_release, release_sha256
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Codes, Release
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.catalogue import BY_CODES
from tsuzuri.projections.code_report import effects, unknown_codes
from tsuzuri.projections.generations import generations
from tsuzuri.projections.releases import Releases

app = typer.Typer(no_args_is_help=True, help="コードの維持管理: releases of the codes.")
File = Annotated[Path, typer.Argument(help="CSV, or JSON of the same.", exists=True, dir_okay=False)]
Name = Annotated[str | None, typer.Option(help="Of the release; else the file's name without its suffix.")]
_SHA_TOLD = 12


@app.command("list")
def list_releases() -> None:
    """The releases that were taken up, and which one each generation of the index and the summary is filled under."""
    carried_out(_list)


@app.command("diff")
def diff(file: File, name: Name = None) -> None:
    """What a file would change against the release in force. Stores nothing. Exit code 1 when it changes anything."""
    release = _read(file, name)
    if carried_out(lambda opened: _told(opened, release)):
        raise typer.Exit(1)


@app.command("take")
def take(file: File, name: Name = None) -> None:
    """Take up a release, after showing what it changes. Generations made from now on are filled under it."""
    release = _read(file, name)

    async def work(opened: Services) -> bool:
        await _told(opened, release)
        return await take_release(opened, operator_here(), release)

    if not carried_out(work):
        typer.echo(f"{release.name} is in force already")
        return
    typer.echo(f"{release.name} is in force. What is indexed stays as it is until it is made anew under it:")
    typer.echo(f"  tsuzuri projections rebuild {BY_CODES}, then: tsuzuri projections promote {BY_CODES}")


@app.command("unknown")
def unknown(
    facility: Annotated[str | None, typer.Option(help="Only what this facility registered.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each code.")] = False,
) -> None:
    """Codes in the index that the release in force does not know, though it covers their systems."""

    async def work(opened: Services) -> None:
        with opened.logins.connect(LogRole.PROJECTOR) as connection:
            codes = _codes(opened, connection)
            found = unknown_codes(connection, codes, facility)
        if as_json:
            for one in found:
                sys.stdout.buffer.write(msgspec.json.encode(asdict(one)) + b"\n")
            return
        for line in code_words.unknown(found, codes.name):
            typer.echo(line)

    carried_out(work)


@app.command("export")
def export(
    name: Annotated[str | None, typer.Argument(help="Another release than the one in force.")] = None,
) -> None:
    """Write a release as CSV: to go on from, or to take it up again."""

    async def work(opened: Services) -> bytes:
        with opened.logins.connect(LogRole.READER) as connection:
            return canonical_bytes(_codes(opened, connection, name).release)

    sys.stdout.buffer.write(carried_out(work))


async def _list(opened: Services) -> None:
    with opened.logins.connect(LogRole.READER) as connection:
        taken = Releases(opened.log.mapper, opened.ring).taken(connection)
        lines = [
            f"{one.event.release}  {one.recorded_at:%Y-%m-%d %H:%M:%S%z}  {one.event.codes} entries  "
            f"sha256 {one.event.sha256[:_SHA_TOLD]}  by {one.event.recorded_by}"
            for one in taken
        ]
        own = built_in()
        lines.insert(
            0, f"{own.name}  built in  {len(own.entries)} entries  sha256 {release_sha256(own)[:_SHA_TOLD]}"
        )
        lines[-1] += "  in force"
        lines += [
            f"{one.name} generation {one.generation} {one.state}: under {one.codes}"
            for one in generations(connection, BY_CODES)
        ]
    for line in lines:
        typer.echo(line)


async def _told(opened: Services, release: Release) -> bool:
    """Say what a release would change against the one in force; whether it changes anything."""
    with opened.logins.connect(LogRole.PROJECTOR) as connection:
        before = _codes(opened, connection)
        found = code_changes(before.release, release)
        concerned = effects(connection, before, Codes(release)) if found else []
    if not found:
        typer.echo(f"{release.name} says the same as {before.name}, which is in force")
        return False
    typer.echo(f"{release.name} against {before.name}, which is in force:")
    for line in (*code_words.changes(found), *code_words.effects(concerned)):
        typer.echo(line)
    return True


def _codes(opened: Services, connection: Connection[Any], name: str | None = None) -> Codes:
    """The release of that name, or the one in force."""
    releases = Releases(opened.log.mapper, opened.ring)
    return releases.codes(connection, name or releases.in_force(connection))


def _read(file: Path, name: str | None) -> Release:
    return read_release(name or file.stem, file.read_bytes())
