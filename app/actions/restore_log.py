"""What is done after a backup was put back, before anything is served: see OPERATIONS, "Backups".

The database is held against what was published, event by event; heads that were signed since are made again; what was
destroyed since is destroyed again; and the log says so. Broken off, it is begun again.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from tsuzuri.app.actions.erase_again import erase_again
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import LogRestored, originator
from tsuzuri.domain.owners import log_owner
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.checkpoints import CheckpointMaker, LogNotAsPublished, Made
from tsuzuri.eventlog.connecting import LogRole, connect
from tsuzuri.eventlog.erasure_list import ErasureList, WholeKey, whole_again
from tsuzuri.eventlog.older_copy import HeldAgainst, OlderCopy, begin_anew, hold_against
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import Checkpoint, PublicKey, SigningKey, encoded
from tsuzuri.eventlog.published import Published

T = TypeVar("T")


@dataclass(frozen=True)
class Examined:
    """A database that was put back, held against what was published."""

    checkpoint: Checkpoint  # the newest that was published
    held: HeldAgainst
    whole: list[WholeKey]  # though they were destroyed


@dataclass(frozen=True)
class GoesOn:
    """From where on the log goes on."""

    heads: int  # that were made again
    checkpoint: Made
    aside: Path | None  # where the folder of the log that lost events lies now


async def examine(
    services: Services, published: Published, key: PublicKey, read: Callable[[int], None]
) -> Examined:
    """Nothing is changed. Raises OlderCopy: it is another log, or was changed; put another backup back."""

    def work() -> Examined:
        checkpoint = published.checkpoint(key)
        if checkpoint is None:
            raise OlderCopy(f"{published.folder} holds no checkpoint to hold this database against")
        with services.logins.connect(LogRole.READER) as connection:
            held = hold_against(connection, published, checkpoint, read)
            whole = whole_again(connection, ErasureList(published.folder).keys(key))
        return Examined(checkpoint, held, whole)

    try:
        return await asyncio.to_thread(work)
    except ProofFails as fault:
        raise OlderCopy(f"{fault}. Nothing was done; put another backup back") from None


async def go_on(services: Services, caller: Caller, examined: Examined, maker: CheckpointMaker) -> GoesOn:
    """Of a log that lost nothing. Raises OlderCopy, and as `erase_again`."""
    heads = await asyncio.to_thread(_kept, maker.follow)
    if heads or examined.whole:
        await _say(services, caller, examined, examined.checkpoint.origin, None)
        await erase_again(services, caller, examined.whole)
    return GoesOn(heads, await asyncio.to_thread(_signed, maker), None)


async def go_on_without(
    services: Services,
    caller: Caller,
    examined: Examined,
    published: Published,
    key: SigningKey,
    maker_in: Callable[[Published], CheckpointMaker],
    *,
    reason: str,
    migrator: str,
) -> GoesOn:
    """Of a log that lost events: it goes on under another name, with a first checkpoint, as no longer one log can.

    *key*: that of the new name. *maker_in*: makes its checkpoints, in a folder. *migrator*: the conninfo of the account
    that migrates. Raises OlderCopy, and as `erase_again`.
    """
    was = examined.checkpoint
    draft = Published(published.folder.with_name(f"{published.folder.name}.new"))
    aside = published.folder.with_name(f"{published.folder.name}-{quote(was.origin, safe='')}-{was.size}")
    if aside.exists():
        raise OlderCopy(f"{aside} is there already: move it away")
    await _say(services, caller, examined, key.public.name, reason)
    await erase_again(services, caller, examined.whole)

    def work() -> Made:
        shutil.rmtree(draft.folder, ignore_errors=True)  # of a run that was broken off, and never published
        with connect(migrator) as connection:
            begin_anew(connection)
        made = _signed(maker_in(draft))
        published.folder.rename(aside)
        draft.folder.rename(published.folder)
        return made

    return GoesOn(0, await asyncio.to_thread(work), aside)


def _signed(maker: CheckpointMaker) -> Made:
    """The first head that covers all there is."""
    while True:
        made = _kept(maker.make)
        if made is None:
            raise OlderCopy("another process makes checkpoints just now: stop it")
        if made.whole:
            return made


def _kept(work: Callable[[], T]) -> T:
    try:
        return work()
    except LogNotAsPublished as fault:
        raise OlderCopy(str(fault)) from None


async def _say(
    services: Services, caller: Caller, examined: Examined, goes_on_as: str, reason: str | None
) -> None:
    owner, was = log_owner(), examined.checkpoint
    before = await services.log.stream(owner, Stream.RECORD)
    event = LogRestored(
        originator_id=originator(owner, Stream.RECORD),
        originator_version=len(before) + 1,
        event_id=services.new_id(),
        origin=was.origin,
        checkpoint=was.size,
        root=encoded(was.root),
        lost={str(one.part): one.events for one in examined.held.missing},
        keys_destroyed=len(examined.whole),
        goes_on_as=goes_on_as,
        reason=reason,
        recorded_by=caller.person,
    )
    await services.log.save(event)
