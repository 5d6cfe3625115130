"""A patient's streams, folded: what decisions about her are made on."""

from functools import reduce
from uuid import UUID

from tsuzuri.app.services import Services
from tsuzuri.domain import consents, registrations
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import Stream


async def load_record(services: Services, patient: UUID) -> PatientRecord:
    events = await services.log.stream(patient, Stream.RECORD)
    return reduce(registrations.evolve, events, PatientRecord(patient))


async def load_consents(services: Services, patient: UUID) -> Consents:
    events = await services.log.stream(patient, Stream.CONSENT)
    return reduce(consents.evolve, events, Consents(patient))
