"""`tsuzuri audit prove`, `checkpoint`, `new-key`, `public-key`: see docs/PROOFS.md and OPERATIONS, "Audit"."""

import os
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.status import Status

from tsuzuri.app.actions.prove import Proof, prove_access, prove_accesses, prove_consistency
from tsuzuri.app.actions.record_look import record_look
from tsuzuri.app.actions.write_log import write_log
from tsuzuri.app.checkpoints_beside import maker_of
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.database import ready_database
from tsuzuri.app.keys import checkpoint_key
from tsuzuri.app.services import Services
from tsuzuri.app.settings import read_settings
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import SigningKey

_COMMAND = "tsuzuri audit prove"


def prove(
    access: Annotated[
        UUID | None, typer.Argument(help="The id of an access: that it stands in the log.")
    ] = None,
    patient: Annotated[
        UUID | None, typer.Option(help="Instead: all accesses to this patient's record;")
    ] = None,
    since: Annotated[
        int | None, typer.Option(help="that the log goes on from this checkpoint, by number;")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="or the whole log.")] = False,
    at: Annotated[
        int | None,
        typer.Option(
            help="Under this checkpoint, not the newest: one that a witness signed. Not of --patient."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file; else it is printed.")] = None,
) -> None:
    """Make a proof that anybody can check without us: tsuzuri audit verify. The look is in the trail."""
    if [access is not None, patient is not None, since is not None, log].count(True) != 1:
        raise typer.BadParameter("give the id of an access; or one of --patient, --since, --log")
    if patient is not None and at is not None:
        raise typer.BadParameter("all accesses are proven under the newest checkpoint only: leave --at out")
    asked = {"access": access, "patient": patient, "since": since, "log": log or None, "at": at}

    async def work(opened: Services) -> Proof | None:
        await record_look(opened, operator_here(), _COMMAND, patient, asked, shown=1)
        if log:
            await _whole(opened, out, at)
            return None
        if since is not None:
            return await prove_consistency(opened, since, at)
        if patient is not None:
            return await prove_accesses(opened, [patient])
        assert access is not None
        return await prove_access(opened, access, at)

    proof = carried_out(work)
    if log:
        return
    if proof is None:
        typer.echo(
            "tsuzuri: the trail has no such access, or has not come to it: tsuzuri projections list", err=True
        )
        raise typer.Exit(1)
    text = orjson.dumps(proof) + b"\n"
    if out is None:
        sys.stdout.buffer.write(text)
    else:
        out.write_bytes(text)


async def _whole(opened: Services, out: Path | None, at: int | None) -> None:
    with Status("", console=Console(stderr=True)) as status:

        def tell(events: int) -> None:
            status.update(f"{events:,} events")

        if out is None:
            await write_log(opened, sys.stdout, at, tell)
        else:
            with open(out, "w", encoding="utf-8") as file:
                await write_log(opened, file, at, tell)


def checkpoint() -> None:
    """Make a checkpoint now, and print it."""
    settings = read_settings()
    with ready_database(settings) as dsn:
        maker = maker_of(settings, dsn)
        while (made := maker.make()) is not None and not made.whole:
            pass
    if made is None:
        typer.echo("tsuzuri: another process is making checkpoints just now: try again", err=True)
        raise typer.Exit(1)
    typer.echo(made.note, nl=False)


def new_key(
    name: Annotated[
        str, typer.Argument(help="Whose log, as an address without scheme: log.example/tsuzuri.")
    ],
    witness: Annotated[bool, typer.Option(help="Of a witness, who countersigns.")] = False,
) -> None:
    """Print a new key that signs checkpoints. Keep it apart from the database and its backups."""
    try:
        made = SigningKey.made(name, witness=witness)
    except ProofFails as fault:
        raise typer.BadParameter(str(fault)) from None
    typer.echo(made.text())


def public_key(
    file: Annotated[
        Path | None, typer.Argument(help="A signing key; none: that of the installation.")
    ] = None,
) -> None:
    """Print the public key, which everybody who checks a proof needs. Give it to them another way than the proof."""
    if file is None:
        key = checkpoint_key(read_settings())
    else:
        try:
            key = SigningKey.of(file.read_text("utf-8"))
        except (OSError, ValueError):
            raise typer.BadParameter(f"{os.fspath(file)} holds no signing key") from None
    typer.echo(key.public.text())
