"""`node`: one thing by its id, under a decision of its own."""

from hashlib import sha256
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import PurposeOfUse
from tsuzuri.graphql.nodes import Node, NodeKind, NodeName, opened_node
from tsuzuri.graphql.patient_record import Patient
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import RefusedReading
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.record_types import Document, Entry


@strawberry.type
class NodeQuery:
    @strawberry.field(
        description="One thing by its `nodeId`, as far as you may see it now. Null: it is not to be had, for whatever "
        "reason. The read is in the audit trail, like one of `patientRecord`.",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST, Role.FACILITY_ADMIN, Role.PATIENT),
    )
    async def node(
        self,
        info: Info[Context, None],
        id: strawberry.ID,
        purpose: PurposeOfUse = vocabulary.PurposeOfUse.TREAT,
    ) -> Node | None:
        context = info.context
        name = opened_node(context.application.seals, id)
        if name is not None and name.kind is NodeKind.FACILITY:
            return await context.facilities.load(name.id)
        reading = await context.application.open_record(
            context.caller,
            (name and name.patient) or _decoy(id),
            purpose,
            as_of=None,
            min_position=None,
            path=tuple(info.path.as_list()),
        )
        if isinstance(reading, RefusedReading):
            context.readings.refused.append(reading)
            return None
        context.readings.permitted.append(reading)
        return None if name is None else await _found(RecordReader(context, reading), name)


async def _found(reader: RecordReader, name: NodeName) -> Node | None:
    match name.kind:
        case NodeKind.ENTRY:
            row = await reader.entry(UUID(name.id))
            return None if row is None else Entry.of(reader, row)
        case NodeKind.DOCUMENT:
            row = await reader.document(UUID(name.id))
            return None if row is None else Document.of(reader, row)
        case _:
            return await Patient.read(reader)


def _decoy(node_id: str) -> UUID:
    """Nobody, and always the same one: an id that was never given out costs what one costs that may not be read."""
    return UUID(bytes=sha256(node_id.encode("utf-8", "replace")).digest()[:16])
