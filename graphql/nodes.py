"""Ids under which one thing is found again (Relay's Node): each is bound to what it names, and to whose record.

Why they stand beside the ids that records have: docs/decisions/0020-ids-of-nodes.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.graphql.context import Context
from tsuzuri.graphql.seals import SealBroken, Seals

_USE = "node"
_LENGTH = 96  # bytes: each kind's id is as long as another's


class NodeKind(StrEnum):
    """Stored in ids that clients keep; never renamed, never reused."""

    ENTRY = "entry"
    DOCUMENT = "document"
    PATIENT = "patient"
    FACILITY = "facility"


@dataclass(frozen=True)
class NodeName:
    """What a node's id names."""

    kind: NodeKind
    id: str  # of the thing itself: a UUID, of a facility its number
    patient: UUID | None  # in whose record it is; None of a facility


@strawberry.interface(description="What is found again by an id of its own: see `node`.")
class Node:
    @strawberry.field(
        description="For `node`: bound to what it names and to whose record that was found in. It tells nothing by "
        "itself, and stays."
    )
    async def node_id(self, info: Info[Context, None]) -> strawberry.ID:
        return sealed_node(info.context.application.seals, self.node_name())

    def node_name(self) -> NodeName:
        raise NotImplementedError("each kind of node says what it is")


def sealed_node(seals: Seals, name: NodeName) -> strawberry.ID:
    patient = "" if name.patient is None else str(name.patient)
    return strawberry.ID(seals.seal(_USE, [name.kind, name.id, patient], length=_LENGTH))


def opened_node(seals: Seals, node_id: str) -> NodeName | None:
    """None for what was never given out as the id of a node."""
    try:
        kind, one, patient = seals.open(_USE, node_id, tuple[NodeKind, str, str])
    except SealBroken:
        return None
    return NodeName(kind, one, UUID(patient) if patient else None)
