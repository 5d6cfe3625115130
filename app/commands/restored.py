"""`tsuzuri db restored`: what has to follow when a backup was put back. See OPERATIONS, "Backups"."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from tsuzuri.app.actions.restore_log import Examined, GoesOn, examine, go_on, go_on_without
from tsuzuri.app.checkpoints_beside import maker_in, maker_of
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.database import ready_database
from tsuzuri.app.keys import checkpoint_key
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.eventlog.proofs.notes import SigningKey
from tsuzuri.eventlog.published import Published


def restored(
    dry_run: Annotated[bool, typer.Option(help="Only say what would be done.")] = False,
    accept_loss: Annotated[
        str | None, typer.Option(help="Go on without events that were published; why, kept in the log.")
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option(help="With --accept-loss: the key of the log's new name, of: tsuzuri audit new-key."),
    ] = None,
) -> None:
    """After a backup was put back: hold it against what was published, and destroy again what was destroyed since."""
    settings = read_settings()
    under = None if new_key is None else _new_key(settings, new_key)
    if (accept_loss is None) != (under is None):
        raise typer.BadParameter("--accept-loss and --new-key go together")
    with ready_database(settings) as dsn:
        asyncio.run(_restored(settings, dsn, dry_run, accept_loss, under))


async def _restored(
    settings: Settings, dsn: str, dry_run: bool, accept_loss: str | None, under: SigningKey | None
) -> None:
    published, key = Published(settings.published), checkpoint_key(settings)
    async with services(settings, dsn) as opened:
        with Status("", console=Console(stderr=True)) as status:
            examined = await examine(
                opened, published, key.public, lambda done: status.update(f"{done:,} events")
            )
        _tell(examined)
        lost = examined.held.lost
        if lost and accept_loss is None:
            typer.echo(
                "Put back a later state if there is one. To go on without them for ever, under another name:\n"
                "  tsuzuri audit new-key NAME > FILE\n"
                "  tsuzuri db restored --accept-loss WHY --new-key FILE",
                err=True,
            )
            raise typer.Exit(1)
        if accept_loss is not None and not lost:
            raise typer.BadParameter("nothing was lost: leave --accept-loss and --new-key out")
        if dry_run:
            return
        if accept_loss is None or under is None:
            done = await go_on(opened, operator_here(), examined, maker_of(settings, dsn))
        else:
            done = await go_on_without(
                opened,
                operator_here(),
                examined,
                published,
                under,
                lambda folder: maker_in(settings, dsn, under, folder),
                reason=accept_loss,
                migrator=dsn,
            )
    _tell_end(examined, done, under)


def _tell(examined: Examined) -> None:
    held, was = examined.held, examined.checkpoint
    typer.echo(f"{held.events} events are as they were published up to checkpoint {was.size} of {was.origin}")
    if held.newer:
        typer.echo(f"{held.newer} events behind it were not published yet")
    for one in held.missing:
        typer.echo(f"LOST: {one.events} events of part {one.part}, behind position {one.after}")
    if examined.whole:
        owners = len({key.owner for key in examined.whole})
        typer.echo(
            f"{len(examined.whole)} keys of {owners} owners were destroyed after this backup, and are whole in it"
        )


def _tell_end(examined: Examined, done: GoesOn, under: SigningKey | None) -> None:
    if done.heads:
        typer.echo(f"{done.heads} checkpoints were made again, each as it was published")
    if examined.whole:
        typer.echo(
            "their keys are destroyed again; rows of them go with the projector, then run: tsuzuri erase finish"
        )
    if done.aside is None or under is None:
        typer.echo(f"the log goes on: checkpoint {done.checkpoint.number}")
        return
    typer.echo(f"the log goes on as {under.public.name}, checkpoint {done.checkpoint.number}")
    typer.echo(f"what was published before lies in {done.aside}: keep it")
    typer.echo("name the new key in TSUZURI_CHECKPOINT_KEY_FILE; all who check proofs need its public key:")
    typer.echo(under.public.text())


def _new_key(settings: Settings, file: Path) -> SigningKey:
    try:
        key = SigningKey.of(file.read_text("utf-8"))
    except (OSError, ValueError):
        raise typer.BadParameter(f"{file} holds no signing key") from None
    if key.public.countersigns or key.public.name == checkpoint_key(settings).public.name:
        raise typer.BadParameter(
            f"{file}: a log that lost events goes on under another name; and not that of a witness: "
            "tsuzuri audit new-key NAME"
        )
    return key
