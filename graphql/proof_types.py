"""証明: what an auditor or a patient checks without us. The file's format: docs/PROOFS.md."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

import orjson
import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.explanation_types import look
from tsuzuri.graphql.inputs import uuid_of
from tsuzuri.graphql.permissions import allowed


@strawberry.type(description="A proof, and the signed checkpoint in which it ends.")
class Proof:
    file: str = strawberry.field(
        description="JSON, as text: save it and run `tsuzuri audit verify FILE --key KEY`, or another verifier."
    )
    checkpoint: str = strawberry.field(
        description="The signed note (C2SP). Hold it against one you were given."
    )
    covered_until: datetime = strawberry.field(
        description="Everything that was recorded before this moment (UTC) is under the checkpoint."
    )

    @classmethod
    def of(cls, proof: Mapping[str, Any]) -> Self:
        ends = proof.get("to", proof)
        return cls(
            file=orjson.dumps(proof).decode(),
            checkpoint=ends["checkpoint"],
            covered_until=datetime.fromisoformat(ends["head"]["at"]),
        )


@strawberry.type(description="That these are all accesses to a record: none is missing, none was changed.")
class AccessesProof(Proof):
    accesses: int = strawberry.field(description="How many there are, under the checkpoint.")

    @classmethod
    def of(cls, proof: Mapping[str, Any]) -> Self:
        return cls(
            file=orjson.dumps(proof).decode(),
            checkpoint=proof["checkpoint"],
            covered_until=datetime.fromisoformat(proof["head"]["at"]),
            accesses=sum(len(one["accesses"]) for one in proof["lists"]),
        )


async def proven_access(context: Context, access: UUID, patient: UUID | None) -> Proof | None:
    async with context.turn:
        proof = await context.application.prove_access(access)
    look(context, patient)
    return None if proof is None else Proof.of(proof)


async def proven_accesses(context: Context, patients: Sequence[UUID]) -> AccessesProof:
    async with context.turn:
        return AccessesProof.of(await context.application.prove_accesses(patients))


@strawberry.type
class ProofQuery:
    @strawberry.field(
        description="That the log at one checkpoint is that at an earlier one with events added. Asking is in the "
        "trail too.",
        permission_classes=allowed(vocabulary.Role.AUDITOR),
    )
    async def consistency_proof(
        self,
        info: Info[Context, None],
        earlier: Annotated[
            int, strawberry.argument(description="The earlier, by its number (the size it signs).")
        ],
        later: Annotated[int | None, strawberry.argument(description="The later; none: the newest.")] = None,
    ) -> Proof:
        if earlier < 1 or later is not None and later < earlier:
            raise RequestRefused("BAD_INPUT", "two checkpoints, the earlier one first, from 1 on")
        async with info.context.turn:
            proof = await info.context.application.prove_consistency(earlier, later)
        look(info.context, None)
        return Proof.of(proof)

    @strawberry.field(
        description="That these are all accesses to a patient's record. Asking is in the trail too.",
        permission_classes=allowed(vocabulary.Role.AUDITOR),
    )
    async def accesses_proof(
        self,
        info: Info[Context, None],
        patient: Annotated[strawberry.ID, strawberry.argument(description="Our id.")],
    ) -> AccessesProof:
        asked = uuid_of(patient, "a patient")
        proof = await proven_accesses(info.context, [asked])
        look(info.context, asked)
        return proof
