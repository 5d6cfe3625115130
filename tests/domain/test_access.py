"""Given a patient's consents, when somebody asks to see her record, then this is the answer, and why."""

from pathlib import Path
from uuid import UUID

import pytest

from access_examples import given, permitted, refusal
from examples import CLINIC, HOSPITAL, PATIENT, STRANGER, a_request, granted
from tsuzuri.domain.access import decide
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import AccessBasis, Flag, PurposeOfUse, RecordClass, RefusalReason, Role

GOLDEN = Path(__file__).with_name("golden_access_matrix.txt")


def all_but(*purposes: PurposeOfUse) -> list[PurposeOfUse]:
    return [purpose for purpose in PurposeOfUse if purpose not in purposes]


# --- facility and purpose


def test_a_consent_to_another_facility_lets_nobody_else_in() -> None:
    answer = decide(a_request(facility=HOSPITAL), given(granted(facility=CLINIC)))

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_a_consent_for_another_purpose_does_not_count() -> None:
    answer = decide(a_request(), given(granted(purpose=PurposeOfUse.HPAYMT)))

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.PHARMACIST])
@pytest.mark.parametrize("purpose", [PurposeOfUse.ETREAT, PurposeOfUse.BTG])
def test_without_an_emergency_right_there_is_no_emergency_whatever_the_patient_has_consented_to(
    role: Role, purpose: PurposeOfUse
) -> None:
    for consents in (given(), given(granted(purpose=purpose))):
        answer = decide(a_request(role=role, purpose=purpose), consents)
        assert refusal(answer) is RefusalReason.EMERGENCY_NOT_PERMITTED


@pytest.mark.parametrize("role", [Role.FACILITY_ADMIN, Role.AUDITOR, Role.OPERATOR, Role.SYSTEM])
@pytest.mark.parametrize("purpose", PurposeOfUse)
def test_who_has_no_part_in_treatment_reads_no_record(role: Role, purpose: PurposeOfUse) -> None:
    answer = decide(a_request(role=role, purpose=purpose), given(granted(purpose=purpose)))

    assert refusal(answer) is RefusalReason.ROLE_NOT_PERMITTED


@pytest.mark.parametrize(
    "purpose", all_but(PurposeOfUse.TREAT, PurposeOfUse.ETREAT, PurposeOfUse.BTG, PurposeOfUse.DISASTER)
)
def test_a_clinician_reads_in_order_to_treat_and_for_nothing_else(purpose: PurposeOfUse) -> None:
    answer = decide(a_request(purpose=purpose), given(granted(purpose=purpose)))

    assert refusal(answer) is RefusalReason.PURPOSE_NOT_PERMITTED


def test_without_a_facility_no_consent_matches() -> None:
    assert refusal(decide(a_request(facility=None), given(granted()))) is RefusalReason.NOT_AVAILABLE


# --- the patient herself


def herself(**changes: object) -> AccessRequest:
    usual: dict[str, object] = {
        "person": "patient",
        "role": Role.PATIENT,
        "facility": None,
        "own_patient": PATIENT,
        "purpose": PurposeOfUse.PATRQT,
    }
    return a_request(**usual | changes)


def test_a_patient_sees_every_class_of_her_own_record_and_needs_nobodys_consent() -> None:
    answer = permitted(decide(herself(), given()))

    (ground,) = answer.grounds
    assert ground.basis is AccessBasis.SELF
    assert ground.because is None
    assert answer.classes == tuple(RecordClass)


@pytest.mark.parametrize("own", [STRANGER, None], ids=["another patient", "nobody"])
def test_a_patient_sees_nobody_elses_record(own: UUID | None) -> None:
    answer = decide(herself(own_patient=own), given(granted()))

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_a_patient_does_not_borrow_a_facilitys_consent() -> None:
    answer = decide(
        herself(own_patient=STRANGER, facility=HOSPITAL), given(granted(purpose=PurposeOfUse.PATRQT))
    )

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_a_clinician_who_is_also_a_patient_reads_her_own_record_in_that_role_only() -> None:
    answer = decide(a_request(own_patient=PATIENT), given())

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


@pytest.mark.parametrize("purpose", all_but(PurposeOfUse.PATRQT, PurposeOfUse.FAMRQT))
def test_a_patient_reads_at_her_own_request_and_for_nothing_else(purpose: PurposeOfUse) -> None:
    assert refusal(decide(herself(purpose=purpose), given())) is RefusalReason.PURPOSE_NOT_PERMITTED


def test_a_diagnosis_she_was_not_told_is_shown_to_clinicians_and_not_to_her() -> None:
    (hers,) = permitted(decide(herself(), given())).grounds
    (theirs,) = permitted(decide(a_request(), given(granted()))).grounds

    assert set(hers.flags) == {Flag.LTS}
    assert set(theirs.flags) == {Flag.LTS, Flag.UNINFORMED}
