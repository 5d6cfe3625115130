"""What a token's scopes let be read and changed: SMART's words, kept exactly or not at all."""

import pytest

from access_examples import given, permitted, refusal
from examples import a_request, granted
from tsuzuri.domain.access import decide
from tsuzuri.domain.scopes import (
    RESOURCES,
    SENT,
    Scope,
    context_of,
    readable,
    rights,
    scopes_of,
    usual_scopes,
)
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, RefusalReason, Role

LETTERS_AND_REPORTS = {
    RecordClass.REFERRAL,
    RecordClass.DISCHARGE_SUMMARY,
    RecordClass.CHECKUP_REPORT,
    RecordClass.PATIENT_SUMMARY,
}


def test_a_scope_is_context_resource_and_rights_and_the_other_words_say_nothing_here() -> None:
    found = scopes_of("openid user/Condition.rs launch/patient system/*.cruds offline_access")

    assert found == {
        Scope("user", "Condition", frozenset("rs")),
        Scope("system", "*", frozenset("cruds")),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user/Condition.read",
        "user/Condition.rs?category=x",
        "user/Condition.sr",
        "user/condition.rs",
        "USER/Condition.rs",
        "staff/Condition.rs",
        "user/Condition.rs,user/Observation.rs",
        "user/Condition.rs\tuser/Observation.rs",
    ],
)
def test_what_cannot_be_kept_exactly_lets_nothing_be_read(text: str) -> None:
    assert readable(Role.CLINICIAN, scopes_of(text)) == frozenset()


@pytest.mark.parametrize(
    ("resource", "classes"),
    [
        ("Condition", {RecordClass.CONDITION}),
        ("AllergyIntolerance", {RecordClass.DRUG_ALLERGY, RecordClass.OTHER_ALLERGY}),
        ("Observation", {RecordClass.INFECTION, RecordClass.LAB_RESULT}),
        ("MedicationRequest", {RecordClass.PRESCRIPTION}),
        ("DocumentReference", LETTERS_AND_REPORTS),
        ("*", set(RecordClass)),
        ("Patient", set()),
    ],
)
def test_a_resource_names_its_classes(resource: str, classes: set[RecordClass]) -> None:
    assert readable(Role.CLINICIAN, scopes_of(f"user/{resource}.rs")) == classes


def test_no_class_is_left_without_a_resource() -> None:
    assert set(RESOURCES) == set(RecordClass)


@pytest.mark.parametrize("rights", ["r", "s", "cud", "c", ""])
def test_who_may_not_both_read_and_search_reads_nothing(rights: str) -> None:
    assert readable(Role.CLINICIAN, scopes_of(f"user/*.{rights}")) == frozenset()


def test_the_rights_of_scopes_for_one_resource_add_up() -> None:
    assert readable(Role.CLINICIAN, scopes_of("user/*.r user/*.s")) == frozenset(RecordClass)
    assert readable(Role.CLINICIAN, scopes_of("user/Condition.r user/*.s")) == {RecordClass.CONDITION}
    assert readable(Role.CLINICIAN, scopes_of("user/Condition.r user/Observation.s")) == frozenset()
    assert readable(Role.CLINICIAN, scopes_of("user/*.r patient/*.s")) == frozenset()


def test_so_do_their_resources() -> None:
    two = readable(Role.CLINICIAN, scopes_of("user/Condition.rs user/MedicationRequest.cruds"))
    assert two == {RecordClass.CONDITION, RecordClass.PRESCRIPTION}


@pytest.mark.parametrize("role", Role)
def test_a_role_has_a_context_and_scopes_of_another_are_not_meant_for_it(role: Role) -> None:
    context = {Role.PATIENT: "patient", Role.SYSTEM: "system"}.get(role, "user")

    assert context_of(role) == context
    for one in ("patient", "user", "system"):
        expected = frozenset(RecordClass) if one == context else frozenset()
        assert readable(role, scopes_of(f"{one}/*.rs")) == expected


@pytest.mark.parametrize("role", Role)
def test_who_is_given_everything_may_do_everything_in_the_context_of_the_role(role: Role) -> None:
    assert usual_scopes(role) == f"{context_of(role)}/*.cruds"


def test_what_may_be_done_is_what_the_scopes_of_the_role_say_of_the_resource() -> None:
    held = scopes_of("system/Condition.c system/Condition.rs system/*.d user/Condition.u")

    assert rights(Role.SYSTEM, held, "Condition") == set("crsd")
    assert rights(Role.SYSTEM, held, "Observation") == set("d")
    assert rights(Role.SYSTEM, held, "*") == set("d")
    assert rights(Role.CLINICIAN, held, "Condition") == set("u")
    assert rights(Role.SYSTEM, scopes_of(""), "Condition") == set()


def test_whatever_a_facility_sends_is_some_resource() -> None:
    assert set(SENT) == set(DocumentKind)
    assert set(SENT.values()) == set(RESOURCES.values())


def test_a_consent_opens_no_more_than_the_token_may_carry() -> None:
    consents = given(granted(classes=tuple(RecordClass)))
    some = frozenset({RecordClass.CONDITION, RecordClass.REFERRAL})

    grounds = permitted(decide(a_request(readable=some), consents)).grounds

    assert [ground.classes for ground in grounds] == [(RecordClass.CONDITION,), (RecordClass.REFERRAL,)]
    assert refusal(decide(a_request(readable=frozenset()), consents)) is RefusalReason.SCOPE_NOT_PERMITTED
    nothing = decide(a_request(readable=frozenset({RecordClass.PATIENT_SUMMARY})), given(granted()))
    assert refusal(nothing) is RefusalReason.NOT_AVAILABLE
