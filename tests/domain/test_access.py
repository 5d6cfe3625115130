"""Given a patient's consents, when somebody asks to see her record, then this is the answer, and why."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from access_examples import A_MICROSECOND, LATER, given, permitted, refusal
from examples import CLINIC, HOSPITAL, NOON, PATIENT, SIX, STRANGER, a_request, granted, withdrawn
from tsuzuri.domain.access import Permitted, Refused, decide
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.grounds import LETTER_CLASSES
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


BUT_REFERRALS = tuple(c for c in RecordClass if c is not RecordClass.REFERRAL)
LETTER = (RecordClass.REFERRAL,)


# --- the golden matrix: role × purpose × consent → answer


def consent_states(purpose: PurposeOfUse) -> dict[str, Consents]:
    """What the patient may have said to the hospital that asks, named as the matrix names it."""
    another = PurposeOfUse.HPAYMT if purpose is PurposeOfUse.TREAT else PurposeOfUse.TREAT
    grant = granted(purpose=purpose)
    lab = granted(purpose=purpose, event_id=LATER, classes=(RecordClass.LAB_RESULT,))
    return {
        "none": given(),
        "in force": given(grant),
        "two in force": given(grant, replace(lab, given="patient")),
        "given anew": given(grant, lab),
        "of every class": given(granted(purpose=purpose, classes=tuple(RecordClass))),
        "begins this moment": given(granted(purpose=purpose, since=NOON)),
        "begins later": given(granted(purpose=purpose, since=NOON + A_MICROSECOND)),
        "ends in a moment": given(granted(purpose=purpose, until=NOON + A_MICROSECOND)),
        "ends this moment": given(granted(purpose=purpose, until=NOON)),
        "withdrawn": given(grant, withdrawn()),
        "results withdrawn": given(grant, withdrawn(classes=(RecordClass.LAB_RESULT,))),
        "after withdrawal": given(grant, withdrawn(), lab),
        "for other purpose": given(granted(purpose=another)),
        "to other facility": given(granted(purpose=purpose, facility=CLINIC)),
        "one referral": given(granted(purpose=purpose, classes=LETTER, document=LATER)),
        "and another": given(
            granted(purpose=purpose, classes=LETTER, document=LATER),
            granted(purpose=purpose, classes=LETTER, document=STRANGER, event_id=LATER),
        ),
        "one of two withdrawn": given(
            granted(purpose=purpose, classes=LETTER, document=LATER),
            granted(purpose=purpose, classes=LETTER, document=STRANGER),
            withdrawn(document=LATER),
        ),
    }


def callers(role: Role, purpose: PurposeOfUse) -> dict[str, AccessRequest]:
    if role is not Role.PATIENT:
        return {str(role): a_request(role=role, purpose=purpose)}
    return {
        "PATIENT herself": herself(purpose=purpose),
        "PATIENT another": herself(purpose=purpose, own_patient=STRANGER),
    }


def told(answer: Permitted | Refused) -> str:
    if isinstance(answer, Refused):
        return str(answer.reason)
    grounds = []
    for ground in answer.grounds:
        short = "the six informations" if ground.classes == SIX else " ".join(ground.classes)
        short = "every class" if ground.classes == tuple(RecordClass) else short
        short = "all but referrals" if ground.classes == BUT_REFERRALS else short
        short = "all it holds" if ground.classes == LETTER_CLASSES else short
        if ground.recipient == HOSPITAL:
            short += " in the referrals to it" if ground.document is None else " in one referral to it"
        grounds.append(f"{ground.basis} of {short} [{' '.join(ground.flags)}]")
    return " + ".join(grounds)


def matrix() -> Iterator[str]:
    """One line for each answer; one for all consents where none of them matters."""
    yield "# role × purpose × consent → answer, at one moment, asked by one hospital."
    yield "# Made by tests/domain/test_access.py: TSUZURI_WRITE_GOLDEN=1 writes it anew. Read the difference."
    for role in Role:
        yield ""
        for purpose in PurposeOfUse:
            for caller, request in callers(role, purpose).items():
                answers = {
                    state: told(decide(request, consents))
                    for state, consents in consent_states(purpose).items()
                }
                same = len(set(answers.values())) == 1
                shown = {"whatever it is": answers["none"]} if same else answers
                for state, answer in shown.items():
                    yield f"{caller:15}  {purpose:9}  {state:18}  {answer}"


def test_the_access_matrix_is_the_one_that_was_agreed_on() -> None:
    now = "\n".join(matrix()) + "\n"
    if os.environ.get("TSUZURI_WRITE_GOLDEN") == "1":
        GOLDEN.write_text(now, "utf-8")

    assert now == GOLDEN.read_text("utf-8")
