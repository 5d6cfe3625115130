"""`tsuzuri consent`: what FHIR Consents would mean here, for those who write them. No database is asked."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from tsuzuri.app.commands.consent_words import in_words
from tsuzuri.app.commands.given_files import Piece, find, pieces
from tsuzuri.domain.fhir.consent import ReadConsent, read_consent
from tsuzuri.domain.fhir.consent_gaps import ConsentInexpressible, Gap

app = typer.Typer(no_args_is_help=True, help="同意: what FHIR Consents mean here.")


@dataclass(frozen=True)
class Checked:
    """What is told of one file, or of one line of an NDJSON file."""

    file: str
    status: str  # "expressed", "refused", "other" (no Consent), "unreadable"
    read: ReadConsent | None = None
    missing: tuple[Gap, ...] = ()
    reason: str | None = None


@app.callback()
def consent() -> None:
    """同意: what FHIR Consents mean here."""


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="FHIR R4 Consents, NDJSON; folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each Consent.")] = False,
) -> None:
    """Say what each Consent would mean if it were handed in now, or what keeps it from being taken.

    Exit code 1 when one is refused; 2 when a file cannot be read at all.
    """
    at, counts = datetime.now(UTC), Counter[str]()
    for checked in _checked(paths, at):
        counts[checked.status] += 1
        _tell_program(checked) if as_json else _tell_person(checked)
    if not as_json:
        statuses = ("expressed", "refused", "other", "unreadable")
        told = ", ".join(f"{counts[status]} {status}" for status in statuses if counts[status])
        typer.echo(f"{counts.total()} checked: {told or 'nothing'}")
    raise typer.Exit(2 if counts["unreadable"] else 1 if counts["refused"] else 0)


def _checked(paths: list[Path], at: datetime) -> Iterator[Checked]:
    for one in find(paths):
        for piece in pieces(one) if isinstance(one, Path) else iter([one]):
            if isinstance(piece, Piece):
                yield _of(piece, at)
            else:
                yield Checked(piece.file, "unreadable", reason=piece.reason)


def _of(piece: Piece, at: datetime) -> Checked:
    if _is_of_another_type(piece.body):
        return Checked(piece.file, "other", reason="a resource that is no Consent")
    try:
        return Checked(piece.file, "expressed", read=read_consent(piece.body, at))
    except ConsentInexpressible as inexpressible:
        return Checked(piece.file, "refused", missing=inexpressible.gaps)


def _is_of_another_type(body: bytes) -> bool:
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(tree, dict) and tree.get("resourceType") not in (None, "Consent")


def _tell_program(checked: Checked) -> None:
    read = checked.read
    line = {
        "file": checked.file,
        "status": checked.status,
        "reason": checked.reason,
        "namesPatient": None if read is None else read.patient is not None,
        "means": [in_words(one) for one in read.intentions] if read else [],
        "notKept": list(read.not_kept) if read else [],
        "missing": [{"path": gap.path, "reason": gap.reason} for gap in checked.missing],
    }
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


def _tell_person(checked: Checked) -> None:
    typer.echo(f"{checked.status:11}{checked.file}  {checked.reason or ''}".rstrip())
    for gap in checked.missing:
        typer.echo(f"  missing  {gap.path}: {gap.reason}")
    if checked.read is None:
        return
    for intention in checked.read.intentions:
        typer.echo(f"  means    {in_words(intention)}")
    if checked.read.patient is None:
        typer.echo(
            "  note     Consent.patient names nobody by a number or an id of here: it cannot be handed in so"
        )
    if checked.read.not_kept:
        typer.echo(f"  not kept {', '.join(checked.read.not_kept)}")
