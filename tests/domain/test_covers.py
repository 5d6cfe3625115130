"""Which single thing a ground lets see: its class, every mark on it, the letter it lies in and who registered it."""

from typing import Any

import pytest

from examples import CLINIC, HOSPITAL, PATIENT, STRANGER, a_request
from tsuzuri.domain.access import Permitted, Refused, beyond_referrals, covers, decide_own_referrals
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.vocabulary import AccessBasis, Flag, RecordClass, RefusalReason, Role

CONDITION = RecordClass.CONDITION


def a_ground(**changes: Any) -> Ground:
    usual: dict[str, Any] = {
        "basis": AccessBasis.CONSENT,
        "classes": (CONDITION,),
        "flags": (Flag.LTS, Flag.UNINFORMED),
    }
    return Ground(**usual | changes)


def test_a_ground_covers_its_classes_and_no_other() -> None:
    assert covers([a_ground()], CONDITION, ())
    assert not covers([a_ground()], RecordClass.LAB_RESULT, ())
    assert not covers([], CONDITION, ())


@pytest.mark.parametrize(
    ("flags", "seen"),
    [
        ((Flag.LTS,), True),
        ((Flag.UNINFORMED, Flag.LTS), True),
        ((Flag.UNDELIVERED,), False),
        ((Flag.LTS, Flag.UNDELIVERED), False),
    ],
)
def test_every_mark_must_be_let_through(flags: tuple[Flag, ...], seen: bool) -> None:
    assert covers([a_ground()], CONDITION, flags) is seen


def test_two_grounds_are_not_added_up() -> None:
    told = a_ground(classes=(RecordClass.LAB_RESULT,))
    untold = a_ground(flags=())

    assert not covers([told, untold], CONDITION, (Flag.LTS,))
    assert covers([told, untold, a_ground()], CONDITION, (Flag.LTS,))


@pytest.mark.parametrize(
    ("narrowed", "of", "not_of"),
    [
        ({"recipient": HOSPITAL}, {"recipient": HOSPITAL}, {"recipient": CLINIC}),
        ({"document": STRANGER}, {"document": STRANGER}, {"document": PATIENT}),
        ({"sender": HOSPITAL}, {"sender": HOSPITAL}, {"sender": CLINIC}),
    ],
    ids=["a letter to it", "one letter", "what it registered"],
)
def test_a_narrowed_ground_covers_only_what_it_names(
    narrowed: dict[str, Any], of: dict[str, Any], not_of: dict[str, Any]
) -> None:
    ground = a_ground(**narrowed)

    assert covers([ground], CONDITION, (), **of)
    assert not covers([ground], CONDITION, (), **not_of)
    assert not covers([ground], CONDITION, ())


def test_a_ground_that_is_not_narrowed_covers_whosever_it_is() -> None:
    assert covers([a_ground()], CONDITION, (), document=STRANGER, recipient=CLINIC, sender=CLINIC)


def test_of_the_emergency_table_no_class_is_covered_as_a_whole() -> None:
    assert not covers([a_ground(emergency_table=True)], CONDITION, ())


def test_grounds_for_letters_are_told_apart_and_told_as_letters() -> None:
    letter, record = a_ground(recipient=HOSPITAL), a_ground(classes=(RecordClass.LAB_RESULT,))

    assert beyond_referrals([letter, record]) == (record,)
    answer = Permitted((letter, record), 1)
    assert answer.classes == (CONDITION, RecordClass.LAB_RESULT)
    assert answer.classes_told == (RecordClass.LAB_RESULT, RecordClass.REFERRAL)


# --- where a facility's own referrals stand


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.PHARMACIST, Role.SYSTEM])
def test_a_facility_sees_where_its_own_referrals_stand_and_nothing_of_the_record(role: Role) -> None:
    answer = decide_own_referrals(a_request(role=role), Consents(PATIENT, version=7))

    ground = Ground(basis=AccessBasis.OWN_FACILITY, classes=(RecordClass.REFERRAL,), flags=())
    assert answer == Permitted((ground,), 7)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"role": Role.PATIENT}, RefusalReason.ROLE_NOT_PERMITTED),
        ({"role": Role.FACILITY_ADMIN}, RefusalReason.ROLE_NOT_PERMITTED),
        ({"facility": None}, RefusalReason.ROLE_NOT_PERMITTED),
        ({"readable": frozenset({CONDITION})}, RefusalReason.SCOPE_NOT_PERMITTED),
    ],
)
def test_nobody_else_sees_where_they_stand(changed: dict[str, Any], reason: RefusalReason) -> None:
    answer = decide_own_referrals(a_request(**changed), Consents(PATIENT, version=7))

    assert answer == Refused(reason, 7)
