"""Bundles that the log holds already, byte for byte: a load that is done again need not check them again."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from tsuzuri.app.actions.load_streams import load_records
from tsuzuri.app.actions.match_patient import Digests, digests_of, match_patient
from tsuzuri.app.services import Services
from tsuzuri.domain.fhir.bundle import identify_bundle
from tsuzuri.domain.record import Document, Subject
from tsuzuri.domain.registrations import PatientRecord, Registration, holder, outcome
from tsuzuri.eventlog import known_numbers

_TASTED = 4  # so many of a hundred are looked at first: of a new load nothing is known
_BYTES_MAX = 1024 * 1024  # larger ones are for the workers, which have limits


@dataclass(frozen=True)
class KnownBundle:
    """What may be in the log: which document these bytes were, and of whom."""

    received: bytes
    sha256: str
    document: Document
    subject: Subject
    digests: Digests  # of its subject's numbers


@dataclass(frozen=True)
class InForce:
    """These bytes changed nothing: they are in force, or were replaced or cancelled since."""

    patient: UUID
    outcome: Registration


async def known_bundles(services: Services, bodies: Sequence[bytes]) -> list[KnownBundle | None]:
    """Those that the log holds now; None for all others, which must be read."""
    tasted = [bodies[place] for place in range(0, len(bodies), max(1, len(bodies) // _TASTED))]
    if not any(await _held(services, tasted)):
        return [None] * len(bodies)
    return await _held(services, bodies)


def in_force(
    services: Services,
    bundle: KnownBundle,
    owners: Mapping[bytes, UUID],
    records: Mapping[UUID, PatientRecord],
) -> InForce | None:
    """What the log says of it by now; None when it must be read after all.

    *owners*: whose the digests of its numbers are; *records*: of all of these patients.
    """
    at = bundle.document.timestamp
    match = match_patient(bundle.subject, bundle.digests, owners, records, at, services.new_id)
    record = holder(match.record, bundle.document, records)
    found = outcome(record, bundle.document, bundle.sha256)
    known = found in (Registration.UNCHANGED, Registration.SUPERSEDED)
    return InForce(record.patient, found) if known else None


async def _held(services: Services, bodies: Sequence[bytes]) -> list[KnownBundle | None]:
    bundles = await asyncio.to_thread(lambda: [_identified(services, body) for body in bodies])
    digests = [digest for one in bundles if one for digest in one.digests.all()]
    owners = await known_numbers.owners(services.pool, digests)
    records = await load_records(services, owners.values())
    return [one if one and in_force(services, one, owners, records) else None for one in bundles]


def _identified(services: Services, body: bytes) -> KnownBundle | None:
    if len(body) > _BYTES_MAX:
        return None
    try:
        document, subject = identify_bundle(body)
    except Exception:  # whatever is wrong with it: reading it will tell
        return None
    return KnownBundle(body, sha256(body).hexdigest(), document, subject, digests_of(services, subject))
