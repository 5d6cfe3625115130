"""`tsuzuri witness`: on a machine of its own, countersigns checkpoints that go on. See OPERATIONS, "Witnesses"."""

import time
from pathlib import Path
from typing import Annotated

import typer

from tsuzuri.eventlog.cosignatures import handed_in
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import PublicKey, SigningKey
from tsuzuri.eventlog.published import Published, write_whole
from tsuzuri.eventlog.witness import NothingKept, Witness, WitnessRefuses

app = typer.Typer(no_args_is_help=True, help="Countersign the checkpoints of a log, elsewhere.")


@app.callback()
def witness() -> None:
    """Countersign the checkpoints of a log, elsewhere."""


@app.command("look")
def look(
    published: Annotated[Path, typer.Option(help="The log's published folder, or a copy of it.")],
    state: Annotated[Path, typer.Option(help="This witness' own folder, where nobody of the log can write.")],
    key: Annotated[Path, typer.Option(help="Its key, of: tsuzuri audit new-key NAME --witness.")],
    log_key: Annotated[str, typer.Option(help="The log's public key, or a file that holds it.")],
    first: Annotated[bool, typer.Option(help="It never signed anything of this log.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Else below the published folder, in cosignatures.")
    ] = None,
) -> None:
    """Check that what is published goes on from what was countersigned before; then countersign it, once, for cron."""
    mine, log = _signing_key(key), _public_key(log_key)
    folder = Published(published)
    try:
        looked = Witness(state, mine, log).look(folder, int(time.time()), first=first)
    except (WitnessRefuses, ProofFails, NothingKept) as fault:
        typer.echo(f"NOT COUNTERSIGNED: {fault}", err=True)
        if isinstance(fault, WitnessRefuses):
            typer.echo(
                "Keep the published folder as it is, and this witness' state; ask whoever runs the log, and tell its "
                "auditors. After a restore that lost events the log goes on under a new name and key.",
                err=True,
            )
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"NOT COUNTERSIGNED: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    write_whole(out or handed_in(published, mine.public), looked.note)
    since = f"it goes on from {looked.before}" if looked.before else "the first of this witness"
    typer.echo(
        f"countersigned checkpoint {looked.checkpoint.size} of {log.name}, {looked.events} events; {since}"
    )


def _signing_key(file: Path) -> SigningKey:
    try:
        key = SigningKey.of(file.read_text("utf-8"))
    except (OSError, ValueError):
        raise typer.BadParameter(f"{file} holds no signing key") from None
    if not key.public.countersigns:
        raise typer.BadParameter(f"{file} holds the key of a log: tsuzuri audit new-key NAME --witness")
    return key


def _public_key(given: str) -> PublicKey:
    try:
        return PublicKey.of(given if "+" in given else Path(given).read_text("utf-8"))
    except (ProofFails, OSError, UnicodeDecodeError):
        raise typer.BadParameter(
            "the log's key is name+8 hex digits+base64, or a file that holds that"
        ) from None
