"""What a patient has said and what stands, as FHIR Consents. Read from the log's own state, as every decision is."""

from typing import Any
from uuid import UUID

from tsuzuri.app.actions.open_record import consents_of
from tsuzuri.app.services import Services
from tsuzuri.domain.fhir.consent_resource import consent_resources


async def list_own_consents(services: Services, patient: UUID) -> list[dict[str, Any]]:
    """Of the patient, and of whoever is linked with her."""
    return consent_resources(consents_of(await services.log.heads(patient)), services.now())
