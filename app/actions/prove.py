"""Proofs for auditors and patients: made of one snapshot, with the keys of what they may read and no other."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tsuzuri.app.actions.recorded_access import find_access
from tsuzuri.app.services import Services
from tsuzuri.eventlog.data_keys import WrappedKey
from tsuzuri.eventlog.proofs.notes import encoded
from tsuzuri.eventlog.proving import Prover, prover
from tsuzuri.eventlog.sealed_events import event_key
from tsuzuri.eventlog.sealing import Section

Proof = dict[str, Any]
"""As docs/PROOFS.md has it."""


async def prove_access(services: Services, access: UUID, head: int | None = None) -> Proof | None:
    """That an access, a refusal or a look at the trail stands in the log. None: the trail has no such one.

    *head*: under which it is proven; none: the newest.

    Raises:
        tsuzuri.eventlog.proving.NotCovered: no checkpoint covers it yet.
        tsuzuri.eventlog.proving.ProofNotMade: the log or its trees were changed.
    """
    found = await find_access(services, access)
    if found is None:
        return None
    async with prover(services.pool) as made:
        proof = await made.event(found.part, found.pos, head)
        event = proof["event"]
        secrets = await _secrets(services, made, found.part, [UUID(event["keyId"])])
    if (secret := secrets.get(UUID(event["keyId"]))) is not None:
        about = UUID(event["eventId"])
        proof["keys"] = {
            "told": encoded(event_key(secret, Section.STATE, about)),
            "audit": encoded(event_key(secret, Section.APART, about)),
        }
    return proof


async def prove_accesses(services: Services, patients: Sequence[UUID]) -> Proof:
    """That these are all accesses to a patient's record; *patients*: she, and who is the same person.

    It opens what she may read of each. Raises as `prove_access`.
    """
    async with prover(services.pool) as made:
        proof = await made.accesses(patients)
        for each in proof["lists"]:
            keys = {UUID(one["keyId"]) for one in each["accesses"]}
            secrets = await _secrets(services, made, each["part"], sorted(keys))
            for one in each["accesses"]:
                secret = secrets.get(UUID(one["keyId"]))
                if secret is not None:
                    one["key"] = encoded(event_key(secret, Section.STATE, UUID(one["eventId"])))
    return proof


async def prove_consistency(services: Services, first: int, second: int | None) -> Proof:
    """That the log at head *second* (none: the newest) goes on from *first*. Raises as `prove_access`."""
    async with prover(services.pool) as made:
        last = (await made.newest()).number if second is None else second
        return await made.consistency(first, last)


async def _secrets(services: Services, made: Prover, part: int, keys: Sequence[UUID]) -> Mapping[UUID, bytes]:
    """Of the keys that were not destroyed."""
    found = {}
    for row in await made.wrapped_keys(part, keys):
        secret = services.log.ring.secret(WrappedKey(*row))
        if secret is not None:
            found[row[0]] = secret
    return found
