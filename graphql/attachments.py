"""GET /documents/{id}/attachments/{n}: the bytes of a file, decided, read and recorded as every other read is."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from tsuzuri.domain.attachments import AttachedFile
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.eventlog.appending import LogUnavailable, NarrowedMeanwhile
from tsuzuri.graphql.context import Application, Context, RequestRefused
from tsuzuri.graphql.execution import ATTEMPTS, new_context
from tsuzuri.graphql.readings import Operation, Reading, RefusedReading
from tsuzuri.graphql.received_documents import attached_file, reads_her_own
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.seals import SealBroken

ROUTE = "/documents/{document:uuid}/attachments/{number}"
OPERATION = "DocumentAttachment"
OPERATION_SHA256 = sha256(f"GET {ROUTE}".encode()).hexdigest()
_PATH = "attachment"  # what was read has one root, as an operation's field has


def attachment_url(reader: RecordReader, row: Mapping[str, Any], number: int) -> str | None:
    """Where the *number*-th attachment, from 1, of this version of a document is fetched.

    None for the patient herself. Whether it may be shown is decided when it is fetched.
    """
    reading = reader.reading
    if reads_her_own(reading):
        return None
    named = [str(reading.request.patient), str(reading.request.purpose), str(row["received"])]
    token = reader.application.seals.seal(_use(row["id"], number), named)
    return f"/documents/{row['id']}/attachments/{number}?token={token}"


async def read_attachment(
    application: Application, caller: Caller, document: UUID, number: str, token: str
) -> AttachedFile | None:
    """The file, and the read of it durable in the log. None for every reason for which it is not to be had.

    Raises RequestRefused: the access could not be recorded, or the record kept changing.
    """
    try:
        patient, purpose, received = application.seals.open(_use(document, number), token, list[str])
    except SealBroken:
        return None
    told = orjson.dumps({"document": str(document), "attachment": number}).decode()
    operation = Operation(sha256=OPERATION_SHA256, name=OPERATION, variables=told)
    for _ in range(ATTEMPTS):
        context = new_context(application, caller)
        opened = await application.open_record(
            caller, UUID(patient), PurposeOfUse(purpose), as_of=None, min_position=None, path=(_PATH,)
        )
        found = await _found(context, opened, document, int(number), UUID(received))
        answer = _answer(found)
        try:
            await application.settle(caller, context.readings, operation, answer)
        except NarrowedMeanwhile:
            continue
        except LogUnavailable:
            raise RequestRefused(
                "LOG_UNAVAILABLE", "the access could not be recorded, so nothing is shown: try again"
            ) from None
        return found
    raise RequestRefused("BUSY", "the record was being changed while it was read: try again")


async def repeat_attachment(
    context: Context, reading: Reading, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """What an earlier read of a file answered, by the variables that were recorded of it."""
    reader = RecordReader(context, reading)
    row = await reader.document(UUID(variables["document"]))
    file = None if row is None else await attached_file(reader, row, int(variables["attachment"]))
    if file is None:
        reading.shown.clear()
    return _answer(file)


def _answer(found: AttachedFile | None) -> dict[str, Any]:
    return {_PATH: None if found is None else {"sha256": sha256(found.body).hexdigest()}}


async def _found(
    context: Context, opened: Reading | RefusedReading, document: UUID, number: int, received: UUID
) -> AttachedFile | None:
    if isinstance(opened, RefusedReading):
        context.readings.refused.append(opened)
        return None
    context.readings.permitted.append(opened)
    reader = RecordReader(context, opened)
    row = await reader.document(document)
    # Of another version, its n-th file may be another one.
    same = row is not None and row["received"] == received
    file = await attached_file(reader, row, number) if row is not None and same else None
    if file is None:
        opened.shown.clear()  # the document was looked at, and nothing of it leaves
    return file


def _use(document: UUID, number: int | str) -> str:
    """What a token is for. No token was given out for a number that is none."""
    return f"attachment/{document}/{number}"
