"""What happened behind the position the index stands on: what of it a caller waits for, and what is left out."""

from typing import Any
from uuid import UUID

import pytest

from event_examples import EXAMPLES
from examples import CLINIC, HOSPITAL
from tsuzuri.app.actions.left_behind import Changed, concerns, left_out
from tsuzuri.domain.access import Permitted
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.events import (
    AccessesErased,
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    ConsentsErased,
    PayloadErased,
    RecordErased,
    Unreadable,
)
from tsuzuri.domain.vocabulary import AccessBasis, DocumentKind, RecordClass
from tsuzuri.projections.sight import LeftOut

CONDITION, LAB, ALLERGY = RecordClass.CONDITION, RecordClass.LAB_RESULT, RecordClass.DRUG_ALLERGY
DOCUMENT = UUID(int=77)
UNREADABLE = Unreadable(originator_id="", originator_version=1, event_id=DOCUMENT, topic="bundle-replaced")


def an_event(sample_of: type[Any], **changes: Any) -> Any:
    """The sample of its kind, changed."""
    (sample,) = [event for event in EXAMPLES if type(event) is sample_of]
    return type(sample)(**vars(sample) | changes)


def accepted(sample_of: type[BundleAccepted], **changes: Any) -> Any:
    usual = {"document": DOCUMENT, "kind": DocumentKind.DISCHARGE_SUMMARY, "hides": {}}
    return an_event(sample_of, **usual | changes)


def who_sees(*classes: RecordClass) -> Permitted:
    return Permitted((Ground(basis=AccessBasis.CONSENT, classes=classes, flags=()),), 1)


@pytest.mark.parametrize(
    ("touches", "waits"), [((LAB,), True), ((LAB, ALLERGY), True), ((CONDITION,), False), ((), True)]
)
@pytest.mark.parametrize("kind", [BundleReplaced, BundleCancelled, BundleRegistered])
def test_a_change_concerns_who_may_see_something_of_what_it_touches(
    kind: type[Any], touches: tuple[RecordClass, ...], waits: bool
) -> None:
    """An event of old that names no class may have touched any."""
    assert concerns(an_event(kind, touches=touches), who_sees(LAB, RecordClass.PRESCRIPTION)) is waits


@pytest.mark.parametrize(
    ("kind", "waits"), [(RecordErased, True), (ConsentsErased, False), (AccessesErased, False)]
)
def test_of_erasures_that_of_the_record_concerns_everybody(kind: type[Any], waits: bool) -> None:
    assert concerns(an_event(kind), who_sees(LAB)) is waits


def test_what_cannot_be_decoded_concerns_everybody_and_leaves_out_everything() -> None:
    assert concerns(UNREADABLE, who_sees(LAB))
    assert left_out([UNREADABLE]) == LeftOut(everything=True)


def test_nothing_behind_leaves_out_nothing() -> None:
    assert left_out([]) == LeftOut()


@pytest.mark.parametrize(
    ("event", "documents"),
    [
        (accepted(BundleReplaced), (DOCUMENT,)),
        (an_event(BundleCancelled, document=DOCUMENT), (DOCUMENT,)),
        (an_event(PayloadErased, document=DOCUMENT), (DOCUMENT,)),
        (accepted(BundleRegistered), ()),
        (accepted(BundleRestored), ()),
    ],
    ids=["replaced", "cancelled", "erased", "new", "put back"],
)
def test_what_ended_is_left_out_and_what_is_new_ends_nothing(
    event: Changed, documents: tuple[UUID, ...]
) -> None:
    assert left_out([event]) == LeftOut(documents=documents)


def test_what_was_marked_is_left_out_by_its_sender_s_fact() -> None:
    marked = accepted(BundleRegistered, facility=HOSPITAL, hides={"f-1": (), "f-2": ()})
    other = accepted(BundleRegistered, facility=CLINIC, hides={"f-1": ()})
    expected = ((HOSPITAL, "f-1"), (HOSPITAL, "f-2"), (CLINIC, "f-1"))

    assert left_out([marked, an_event(BundleCancelled, document=DOCUMENT), other]) == LeftOut(
        documents=(DOCUMENT,), hidden=expected
    )


def test_of_a_class_that_comes_in_full_sets_all_that_its_sender_told_before_is_left_out() -> None:
    told = accepted(BundleRegistered, kind=DocumentKind.ALLERGIES)

    assert left_out([told]).sets == ((told.facility, (ALLERGY, RecordClass.OTHER_ALLERGY)),)


def test_an_erased_record_leaves_out_everything() -> None:
    assert left_out([accepted(BundleReplaced), an_event(RecordErased)]).everything
    assert not left_out([accepted(BundleReplaced)]).everything
