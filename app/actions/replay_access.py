"""A recorded access is run again as it was, and what comes of it is compared with what was recorded.

Why it stands on the log and not on the index, and what it can not tell: docs/decisions/0025-replay.md.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from graphql import ListTypeNode, NonNullTypeNode, OperationType, TypeNode
from strawberry import Schema

from tsuzuri.app.actions.explain_access import explain_access
from tsuzuri.app.actions.recorded_access import FoundAccess, find_access
from tsuzuri.app.actions.run_again import Ran, Recorded, run_again
from tsuzuri.app.program import VERSION
from tsuzuri.app.services import Services
from tsuzuri.domain.accesses import AccessAudit
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.codes import Codes, CodesUnknown
from tsuzuri.domain.events import (
    AccessPermitted,
    AccessRefused,
    DocumentKept,
    PayloadErased,
    RecordErased,
    TrailRead,
    WatcherTold,
)
from tsuzuri.domain.owners import access_owner, document_kept_id, documents_owner
from tsuzuri.domain.replay_allowances import check_allowed
from tsuzuri.domain.replays import (
    BESIDE,
    PROGRAM,
    SCHEMA,
    SEALS,
    Change,
    Erasure,
    Hindrance,
    Replay,
    Shown,
    Verdict,
    judge,
)
from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.stored_events import recorded_events, stored_event
from tsuzuri.graphql.attachments import OPERATION_SHA256
from tsuzuri.graphql.preparing import DocumentRefused, Prepared, prepare
from tsuzuri.graphql.readings import NAMED, Path
from tsuzuri.graphql.repeating import REPEATABLE, roots
from tsuzuri.graphql.schema import schema_sha256
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.past_sight import PastUnreadable

AHEAD_MAX = (
    8  # events by which what lies beside the index is taken to have moved on at most while it was read
)
_EVER = datetime(9999, 1, 1, tzinfo=UTC)


class _Hindered(Exception):
    def __init__(self, hindrance: Hindrance) -> None:
        super().__init__(hindrance)
        self.hindrance = hindrance


async def replay_access(
    services: Services, schema: Schema, caller: Caller, access: UUID, allowance: UUID | None = None
) -> Replay | None:
    """None: the trail has no such access. Nothing is recorded here: who asks is to be in the trail before she is told.

    *allowance*: of a second person, under which the content comes too (see allow_replay_content).

    Raises tsuzuri.domain.replay_allowances.ContentNotAllowed.
    """
    if allowance is not None:
        allowed = await stored_event(services.log, access_owner(access), allowance)
        check_allowed(allowed, access, caller, services.now())
    found = await find_access(services, access)
    if found is None:
        return None
    match found.event:
        case AccessPermitted():
            replay = await _permitted(services, schema, access, found, found.event)
        case AccessRefused():
            replay = await _refused(services, access, found.event)
        case WatcherTold() as told:
            replay = _hindered(access, told.patient, Hindrance.WATCH)
        case TrailRead() as read:
            replay = _hindered(access, read.patient, Hindrance.TRAIL_READ)
        case _:
            replay = Replay(access=access, verdict=Verdict.ERASED, hindrance=Hindrance.ACCESS_ERASED)
    return replay if allowance is not None else replace(replay, content=None)


async def _refused(services: Services, access: UUID, event: AccessRefused) -> Replay:
    """Decided again on what it cites: nothing was shown that could be shown again."""
    explanation = await explain_access(services, access)
    agrees = None if explanation is None else explanation.agrees
    if agrees is None:
        erased = Hindrance.CONSENTS_ERASED
        return Replay(access=access, patient=event.patient, verdict=Verdict.ERASED, hindrance=erased)
    verdict = Verdict.SAME_REFUSAL if agrees else Verdict.DIFFERENT
    return Replay(access=access, patient=event.patient, verdict=verdict)


async def _permitted(
    services: Services, schema: Schema, access: UUID, found: FoundAccess, event: AccessPermitted
) -> Replay:
    audit = event.audit
    changes = _changes(services, schema, audit)
    then = Shown(
        answer_sha256=audit.answer_sha256,
        entries_sha256=audit.shown_sha256,
        entries=audit.entries_shown,
    )
    replay = Replay(
        access=access,
        patient=event.patient,
        verdict=Verdict.NOT_REPLAYABLE,
        then=then,
        changes=changes,
        erasures=await _erasures(services, event, found.recorded_at),
    )
    try:
        recorded = await _recorded(services, schema, found, event)
        ran = await _best(services, schema, recorded, then)
    except DocumentRefused:  # another schema does not know its fields
        return replace(replay, verdict=Verdict.VERSION_CHANGED)
    except _Hindered as hindered:
        return replace(replay, hindrance=hindered.hindrance)
    except (PastUnreadable, CodesUnknown):
        return replace(replay, hindrance=Hindrance.EVENT_UNREADABLE)
    if ran.shown.answer_sha256 != then.answer_sha256 and ran.more > AHEAD_MAX:
        changes = (*changes, Change(BESIDE, "", ""))
    verdict = judge(
        then,
        ran.shown,
        asked=event.told.classes_asked,
        changes=changes,
        erasures=replay.erasures,
        failed=audit.failed,
    )
    return replace(
        replay,
        verdict=verdict,
        now=ran.shown,
        changes=changes,
        entries=ran.entries,
        content=orjson.dumps(ran.answer).decode(),
    )


async def _best(services: Services, schema: Schema, recorded: Recorded, then: Shown) -> Ran:
    """The run that agrees, if one does: what lies beside the index may have moved on between its look and its rows."""
    first = ran = await run_again(services, schema, recorded, 0)
    for ahead in range(1, min(first.more, AHEAD_MAX) + 1):
        if ran.shown.answer_sha256 == then.answer_sha256:
            return ran
        ran = await run_again(services, schema, recorded, ahead)
    return ran if ran.shown.answer_sha256 == then.answer_sha256 else first


async def _recorded(
    services: Services, schema: Schema, found: FoundAccess, event: AccessPermitted
) -> Recorded:
    """What is needed to run it again. Raises _Hindered, DocumentRefused, CodesUnknown."""
    audit = event.audit
    if not audit.path:
        raise _Hindered(Hindrance.NOT_KEPT)
    path: Path = tuple(int(step) if step.isdigit() else step for step in audit.path.split("."))
    prepared, variables = None, orjson.loads(audit.variables)
    if audit.operation_sha256 != OPERATION_SHA256:
        prepared = await _prepared(services, schema, audit)
        if prepared.kind is OperationType.SUBSCRIPTION:
            raise _Hindered(Hindrance.WATCH)
        if prepared.kind is not OperationType.QUERY:
            raise _Hindered(Hindrance.NOT_A_QUERY)
        if not roots(prepared, str(path[0])) <= REPEATABLE:
            raise _Hindered(Hindrance.OVER_PATIENTS)
        variables = _variables(prepared, variables)
    return Recorded(
        found=found,
        event=event,
        path=path,
        prepared=prepared,
        variables=variables,
        codes=await asyncio.to_thread(_codes, services, audit.codes),
    )


async def _prepared(services: Services, schema: Schema, audit: AccessAudit) -> Prepared:
    text = audit.document
    if text is None:
        kept = await stored_event(services.log, documents_owner(), document_kept_id(audit.operation_sha256))
        text = kept.document if isinstance(kept, DocumentKept) else None
    if text is None or sha256(text.encode()).hexdigest() != audit.operation_sha256:
        raise _Hindered(Hindrance.DOCUMENT_NOT_KEPT)
    return prepare(schema, text, audit.operation_name)


def _variables(prepared: Prepared, kept: Mapping[str, Any]) -> dict[str, Any]:
    """As they were sent; where they named several patients, nobody in their places: each is an access of its own."""
    declared = {
        one.variable.name.value: isinstance(_bare(one.type), ListTypeNode)
        for one in prepared.operation.variable_definitions or ()
    }
    if "sha256" in kept and "sha256" not in declared:
        raise _Hindered(Hindrance.VARIABLES_NOT_KEPT)
    nobody = {"id": str(documents_owner())}
    named = {
        name: [nobody] * number if declared[name] else nobody for name, number in kept.get(NAMED, {}).items()
    }
    return {name: value for name, value in kept.items() if name in declared} | named


def _bare(of: TypeNode) -> TypeNode:
    return of.type if isinstance(of, NonNullTypeNode) else of


def _codes(services: Services, release: str) -> Codes:
    if (held := services.releases.held(release)) is not None:
        return held
    with services.logins.connect(LogRole.READER) as connection:
        return services.releases.codes(connection, release)


def _changes(services: Services, schema: Schema, audit: AccessAudit) -> tuple[Change, ...]:
    versions = {name: str(one.version) for name, one in PROJECTIONS.items()}
    then = {name: str(version) for name, version in audit.projections.items()}
    then |= {SCHEMA: audit.schema_sha256, PROGRAM: audit.program, SEALS: audit.seals}
    now = versions | {SCHEMA: schema_sha256(schema), PROGRAM: VERSION, SEALS: services.seals.name}
    names = [*then, *(name for name in now if name not in then)]
    return tuple(
        Change(name, then.get(name, ""), now.get(name, ""))
        for name in names
        if then.get(name, "") != now.get(name, "")
    )


async def _erasures(services: Services, event: AccessPermitted, recorded_at: datetime) -> tuple[Erasure, ...]:
    """What was erased since of hers, or of whoever was the same person."""
    owners = [event.patient, *event.audit.linked]
    since = min(event.audit.decided_at or recorded_at, recorded_at)
    found = await recorded_events(services.log, owners, [PayloadErased, RecordErased], since, _EVER)
    every = frozenset(RecordClass)
    return tuple(
        Erasure(
            event=one.event.event_id,
            document=getattr(one.event, "document", None),
            at=one.recorded_at,
            classes=frozenset(getattr(one.event, "touches", ())) or every,
        )
        for one in found
        if isinstance(one.event, PayloadErased | RecordErased)
    )


def _hindered(access: UUID, patient: UUID | None, hindrance: Hindrance) -> Replay:
    return Replay(access=access, patient=patient, verdict=Verdict.NOT_REPLAYABLE, hindrance=hindrance)
