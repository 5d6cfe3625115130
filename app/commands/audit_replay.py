"""`tsuzuri audit replay` and `allow-content`: an access run again as it was. See OPERATIONS, "Replay"."""

import sys
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from tsuzuri.app.actions.allow_replay_content import allow_replay_content
from tsuzuri.app.actions.record_look import record_look
from tsuzuri.app.actions.replay_access import replay_access
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.services import Services
from tsuzuri.domain.events import ReplayContentAllowed
from tsuzuri.domain.replay_allowances import ContentNotAllowed, NoSuchAccess, OwnReplay
from tsuzuri.domain.replay_words import sentences
from tsuzuri.domain.replays import Replay, Verdict
from tsuzuri.domain.vocabulary import Language
from tsuzuri.graphql.schema import build_schema

_REPLAY, _ALLOW = "tsuzuri audit replay", "tsuzuri audit allow-content"
_UNKNOWN = "tsuzuri: the trail has no such access, or has not come to it: tsuzuri projections list"
Access = Annotated[UUID, typer.Argument(help="The id that was quoted, or the trail shows.")]


def replay(
    access: Access,
    content: Annotated[
        UUID | None,
        typer.Option(
            help="Show what was answered too: the id that `allow-content` gave somebody else for you."
        ),
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the words.", case_sensitive=False)] = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, in both languages.")] = False,
) -> None:
    """Run an access again as of its position and under its decision, and compare digests and entries."""

    async def work(opened: Services) -> Replay | None:
        found = await replay_access(opened, build_schema(), operator_here(), access, content)
        shown = len(found.entries) if found is not None and content is not None else int(found is not None)
        patient = None if found is None else found.patient
        asked = {"access": access, "content": content}
        await record_look(opened, operator_here(), _REPLAY, patient, asked, shown=shown)
        return found

    try:
        found = carried_out(work)
    except ContentNotAllowed as refused:
        raise typer.BadParameter(str(refused), param_hint="--content") from None
    if found is None:
        typer.echo(_UNKNOWN, err=True)
        raise typer.Exit(1)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(_told(found)) + b"\n")
    else:
        for line in _lines(found, language):
            typer.echo(line)
    if found.verdict is Verdict.DIFFERENT:
        raise typer.Exit(1)


def allow_content(
    access: Access,
    to: Annotated[str, typer.Option(help="Whom: as her token, or the trail, names her. Not yourself.")],
) -> None:
    """Let somebody else see, for an hour, what this access showed when she replays it. Prints the id she needs."""

    async def work(opened: Services) -> ReplayContentAllowed:
        allowed = await allow_replay_content(opened, operator_here(), access, to)
        asked = {"access": access, "to": to}
        await record_look(opened, operator_here(), _ALLOW, None, asked, shown=0)
        return allowed

    try:
        allowed = carried_out(work)
    except OwnReplay as refused:
        raise typer.BadParameter(str(refused), param_hint="--to") from None
    except NoSuchAccess:
        typer.echo(_UNKNOWN, err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{allowed.event_id}  until {allowed.until.isoformat(timespec='seconds')}")


def _lines(found: Replay, language: Language) -> list[str]:
    lines = [f"= {found.verdict}", *sentences(found, language)]
    for name, shown in (("then", found.then), ("now", found.now)):
        if shown is not None:
            lines.append(
                f"  {name:<5} answer {shown.answer_sha256}  {shown.entries} entries {shown.entries_sha256}"
            )
    lines += [f"  ~ {one.what}: {one.then or '?'} -> {one.now or '?'}" for one in found.changes]
    lines += [
        f"  x {one.document or 'the whole record'} erased {one.at.isoformat(timespec='seconds')}  [{one.event}]"
        for one in found.erasures
    ]
    lines += [f"  {entry}" for entry in found.entries]
    return lines if found.content is None else [*lines, found.content]


def _told(found: Replay) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "hindrance": found.hindrance,
        "words": {one.value.lower(): sentences(found, one) for one in Language},
        "then": found.then,
        "now": found.now,
        "changes": found.changes,
        "erasures": [
            {"event": one.event, "document": one.document, "at": one.at, "classes": sorted(one.classes)}
            for one in found.erasures
        ],
        "entries": found.entries,
        "content": None if found.content is None else orjson.loads(found.content),
    }
