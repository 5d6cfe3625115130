"""A patient's streams, folded: what decisions about her are made on."""

from uuid import UUID

from tsuzuri.app.services import Services
from tsuzuri.domain import consents, registrations
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import Stream


async def load_record(services: Services, patient: UUID) -> PatientRecord:
    return await services.log.fold(patient, Stream.RECORD, registrations.evolve, PatientRecord(patient))


async def load_consents(services: Services, patient: UUID) -> Consents:
    return await services.log.fold(patient, Stream.CONSENT, consents.evolve, Consents(patient))
