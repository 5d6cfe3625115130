"""`tsuzuri audit verify`: checks a proof with nothing but a public key. No database, no network, no settings."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tsuzuri.app.commands.proof_words import said
from tsuzuri.domain.vocabulary import Language
from tsuzuri.eventlog.proofs.bundles import ConsistencyProven, Covered, Proven
from tsuzuri.eventlog.proofs.bundles import verify as verify_one
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import Checkpoint, PublicKey, checked
from tsuzuri.eventlog.proofs.whole_log import LogProven, verify_log
from tsuzuri.eventlog.published import Published

_BYTES_MAX = 1 << 30
"""Of a proof that is read whole. A log is read line by line, however long it is."""
_Tell = Callable[[int, int], None]


def verify(
    file: Annotated[Path, typer.Argument(help="The proof.")],
    key: Annotated[str, typer.Option(help="The log's public key, or a file that holds it.")],
    witness: Annotated[
        list[str] | None, typer.Option(help="A witness' public key; each must have signed.")
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="Of a whole log: a copy of what was published; names the very event.")
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option(
            help="A checkpoint that you were given before: the proof must end in that one, or lead from it."
        ),
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the words.", case_sensitive=False)] = Language.EN,
) -> None:
    """Say what a proof proves, or what is wrong with it and where."""
    public, others = _key(key), [_key(one) for one in witness or []]
    try:
        before = None if kept is None else checked(kept.read_text("utf-8"), public)
        proven = _proven(file, public, others, published, before)
        lacking = [one.name for one in others if one.name not in _covered(proven).witnesses]
        if lacking:
            raise ProofFails(f"no signature of {', '.join(lacking)} is under the checkpoint")
    except ProofFails as fault:
        typer.echo(f"NOT PROVEN: {fault}" if language is Language.EN else f"証明できません: {fault}")
        raise typer.Exit(1) from None
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"this cannot be read ({type(error).__name__})") from None
    for sentence in said(proven, language):
        typer.echo(sentence)


def _proven(
    file: Path,
    key: PublicKey,
    witnesses: Sequence[PublicKey],
    published: Path | None,
    kept: Checkpoint | None,
) -> Proven | LogProven:
    with open(file, encoding="utf-8") as opened:
        first = opened.readline(_BYTES_MAX)
        if _names_a_log(first):
            with _progress() as progress:
                return verify_log(
                    _lines(first, opened),
                    key,
                    witnesses,
                    published=None if published is None else Published(published).head,
                    kept=kept,
                    progress=progress,
                )
        text = first + opened.read(_BYTES_MAX)
    try:
        proof = json.loads(text)
    except (ValueError, RecursionError):
        raise ProofFails("this is no proof: it is not JSON") from None
    proven = verify_one(proof, key, witnesses)
    _hold_against(kept, proven)
    return proven


def _hold_against(kept: Checkpoint | None, proven: Proven) -> None:
    """A proof of consistency leads from the kept checkpoint to a later one, or from an earlier one to it."""
    if kept is None:
        return
    ends = _covered(proven).checkpoint
    shown = [proven.earlier.checkpoint, ends] if isinstance(proven, ConsistencyProven) else [ends]
    if all((one.size, one.root) != (kept.size, kept.root) for one in shown):
        raise ProofFails(f"it ends in checkpoint {ends.size}, and not in the one that was kept ({kept.size})")


def _names_a_log(line: str) -> bool:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(read, dict) and read.get("proves") == "log"


def _lines(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


@contextmanager
def _progress() -> Iterator[_Tell]:
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} events"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("verify", total=None)

        def tell(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield tell


def _covered(proven: Proven | LogProven) -> Covered:
    """The signed head in which it ends."""
    return proven.later if isinstance(proven, ConsistencyProven) else proven.covered


def _key(given: str) -> PublicKey:
    try:
        return PublicKey.of(given if "+" in given else Path(given).read_text("utf-8"))
    except (ProofFails, OSError, UnicodeDecodeError):
        raise typer.BadParameter("the key is name+8 hex digits+base64, or a file that holds that") from None
