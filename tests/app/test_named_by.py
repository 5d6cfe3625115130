"""By which keys a caller may change something of a patient."""

import pytest

from examples import CLINIC, DOCTOR, HOSPITAL, NUMBER, PATIENT, herself
from tsuzuri.app.actions.find_patient import named_by
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.domain.identifiers import DemographicKey, InsuredPersonNumber, LocalNumber, PatientKey


@pytest.mark.parametrize(
    "key",
    [PATIENT, InsuredPersonNumber.parse(NUMBER), LocalNumber(HOSPITAL, "P-1")],
    ids=["id", "insured person", "its own"],
)
def test_an_id_a_number_of_the_country_and_the_facility_s_own_name_her(key: PatientKey) -> None:
    assert named_by(DOCTOR, key) == key


def test_by_name_and_birth_date_nobody_changes_anything() -> None:
    with pytest.raises(NotPermitted, match="^name the patient by id or by number$"):
        named_by(DOCTOR, DemographicKey("シケンハナコ", "1970-01-02", "female", postal_code="3500001"))


def test_another_facility_s_local_number_names_nobody() -> None:
    for caller in (DOCTOR, herself()):
        with pytest.raises(NotPermitted, match="^a facility names a patient by its own local number, not by"):
            named_by(caller, LocalNumber(CLINIC, "P-1"))
