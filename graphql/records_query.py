"""`patientRecords`: a page over several patients that somebody names, each read decided and recorded by itself."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.domain.identifiers import DemographicKey, PatientNumber
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.enums import PurposeOfUse
from tsuzuri.graphql.inputs import PatientKey
from tsuzuri.graphql.paging import PATIENTS_MAX
from tsuzuri.graphql.patient_record import AccessRefused, PatientRecord, PatientRecordResult
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import Reading, RefusedReading
from tsuzuri.graphql.record_reader import RecordReader


@strawberry.type
class RecordsQuery:
    @strawberry.field(
        description="Several patients' records in the order they are named, each as `patientRecord` would answer: a "
        "refusal stands in its place. Each read is in that patient's trail, all under one operation.",
        permission_classes=allowed(Role.CLINICIAN, Role.PHARMACIST, Role.FACILITY_ADMIN, Role.PATIENT),
    )
    async def patient_records(
        self,
        info: Info[Context, None],
        patients: Annotated[
            list[PatientKey],
            strawberry.argument(description=f"1 to {PATIENTS_MAX}, by id or number: not by demographics."),
        ],
        purpose: PurposeOfUse = vocabulary.PurposeOfUse.TREAT,
    ) -> list[PatientRecordResult]:
        context, keys = info.context, _checked(patients)
        context.readings.several_named |= len(keys) > 1
        path = tuple(info.path.as_list())
        readings = await context.application.open_records(
            context.caller, keys, purpose, paths=[(*path, place) for place in range(len(keys))]
        )
        each = {reading.access_id: reading for reading in readings}
        results = {access: _result(context, reading) for access, reading in each.items()}
        return [results[reading.access_id] for reading in readings]


def _result(context: Context, reading: Reading | RefusedReading) -> PatientRecord | AccessRefused:
    if isinstance(reading, RefusedReading):
        context.readings.refused.append(reading)
        return AccessRefused.of(reading)
    context.readings.permitted.append(reading)
    return PatientRecord(reader=RecordReader(context, reading))


def _checked(patients: Sequence[PatientKey]) -> list[UUID | PatientNumber]:
    """Raises RequestRefused."""
    if not 1 <= len(patients) <= PATIENTS_MAX:
        raise RequestRefused("BAD_INPUT", f"name 1 to {PATIENTS_MAX} patients")
    keys: list[UUID | PatientNumber] = []
    for patient in patients:
        key = patient.checked()
        if isinstance(key, DemographicKey):
            raise RequestRefused(
                "BAD_INPUT", "by name and birth date one patient is asked for: patientRecord"
            )
        keys.append(key)
    return keys
