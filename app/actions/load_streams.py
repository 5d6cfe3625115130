"""A patient's streams, folded: what decisions about her are made on."""

from collections.abc import Iterable
from uuid import UUID

from tsuzuri.app.services import Services
from tsuzuri.domain import consents, registrations
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.links import members
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import Stream


async def load_record(services: Services, patient: UUID) -> PatientRecord:
    return await services.log.fold(patient, Stream.RECORD, registrations.evolve, PatientRecord(patient))


async def load_records(services: Services, patients: Iterable[UUID]) -> dict[UUID, PatientRecord]:
    """Of these patients, and of all who are the same person as one of them."""
    records = await _folded(services, set(patients))
    linked = {one for record in records.values() for one in members(record.patient, record.links)}
    return records | await _folded(services, linked - records.keys())


async def _folded(services: Services, patients: set[UUID]) -> dict[UUID, PatientRecord]:
    if not patients:
        return {}
    return await services.log.fold_many(patients, Stream.RECORD, registrations.evolve, PatientRecord)


async def load_consents(services: Services, patient: UUID) -> Consents:
    return await services.log.fold(patient, Stream.CONSENT, consents.evolve, Consents(patient))
