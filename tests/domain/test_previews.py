"""What a change of consent would mean, told before it is made: never more than a read would keep."""

import pytest

from access_examples import LATER, given, permitted
from examples import CLINIC, HOSPITAL, NOON, SIX, STRANGER, a_request, granted, withdrawn
from policy_examples import AN_HOUR
from tsuzuri.domain import consents as said
from tsuzuri.domain.access import Permitted, decide
from tsuzuri.domain.consents import ConsentEvent, Consents
from tsuzuri.domain.denials import deny
from tsuzuri.domain.previews import Preview, preview
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass

CONDITION, LAB = RecordClass.CONDITION, RecordClass.LAB_RESULT


def denial(*classes: RecordClass) -> ConsentEvent:
    return deny(given(), event_id=LATER, facility=None, classes=classes, recorded_by="patient")


def test_a_first_consent_is_all_gain() -> None:
    assert preview(given(), granted(), NOON) == [Preview(HOSPITAL, gains=SIX, loses=(), sees=SIX)]


def test_a_consent_that_replaces_another_may_gain_and_lose() -> None:
    before = given(granted(classes=(CONDITION,)))

    found = preview(before, granted(event_id=LATER, classes=(LAB,)), NOON)

    assert found == [Preview(HOSPITAL, gains=(LAB,), loses=(CONDITION,), sees=(LAB,))]


def test_a_denial_from_all_loses_at_every_facility_by_number_and_where_nothing_changes_nothing_is_said() -> (
    None
):
    before = given(
        granted(classes=(CONDITION, LAB)),
        granted(event_id=STRANGER, facility=CLINIC, classes=(LAB,)),
        granted(event_id=LATER, facility="1300000001", classes=(CONDITION,)),
    )

    found = preview(before, denial(LAB), NOON)

    assert found == [
        Preview(CLINIC, gains=(), loses=(LAB,), sees=()),
        Preview(HOSPITAL, gains=(), loses=(LAB,), sees=(CONDITION,)),
    ]


def test_a_withdrawal_is_all_loss_and_what_is_not_in_force_then_is_not_counted() -> None:
    assert preview(given(granted()), withdrawn(), NOON) == [Preview(HOSPITAL, (), SIX, ())]
    assert preview(given(granted()), withdrawn(), NOON + 24 * AN_HOUR) == []


def test_a_consent_for_another_purpose_than_treatment_changes_nothing_of_it() -> None:
    assert preview(given(), granted(purpose=PurposeOfUse.HPAYMT), NOON) == []


def test_one_referral_is_told_as_a_referral_whatever_it_speaks_of() -> None:
    one_letter = granted(classes=(RecordClass.REFERRAL,), document=STRANGER)

    assert preview(given(), one_letter, NOON) == [
        Preview(HOSPITAL, (RecordClass.REFERRAL,), (), (RecordClass.REFERRAL,))
    ]


@pytest.mark.parametrize(
    "change", [granted(classes=(LAB,)), withdrawn(classes=(CONDITION,)), denial(CONDITION), denial()]
)
@pytest.mark.parametrize("before", [given(), given(granted())], ids=["nothing yet", "the six"])
def test_what_is_promised_is_what_a_read_then_keeps(before: Consents, change: ConsentEvent) -> None:
    after = decide(a_request(), said.evolve(before, change))

    seen = permitted(after).classes if isinstance(after, Permitted) else ()
    for told in preview(before, change, NOON):
        assert told.sees == seen
