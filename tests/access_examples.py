"""A patient's consents from what happened, and an answer taken as the permission or the refusal it must be."""

from datetime import timedelta
from functools import reduce
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from examples import CLINIC, EVENT, HOSPITAL, NOON, PATIENT, granted, withdrawn
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.consents import ConsentEvent as Said
from tsuzuri.domain.consents import Consents, evolve
from tsuzuri.domain.events import ConsentGranted, ConsentWithdrawn
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, RefusalReason

LATER = UUID(int=EVENT.int + 7)
A_MICROSECOND = timedelta(microseconds=1)

ConsentEvent = ConsentGranted | ConsentWithdrawn


def given(*events: Said) -> Consents:
    return reduce(evolve, events, Consents(PATIENT))


def permitted(answer: Permitted | Refused) -> Permitted:
    assert isinstance(answer, Permitted), answer
    return answer


def refusal(answer: Permitted | Refused) -> RefusalReason:
    assert isinstance(answer, Refused), answer
    return answer.reason


# --- whatever may have been said in the sixty hours before NOON

classes = st.lists(st.sampled_from(RecordClass), min_size=1, unique=True).map(tuple)
facilities = st.sampled_from([HOSPITAL, CLINIC])
grants = st.fixed_dictionaries(
    {
        "event_id": st.uuids(version=4),
        "facility": facilities,
        "classes": classes,
        "purpose": st.sampled_from([PurposeOfUse.TREAT, PurposeOfUse.HPAYMT]),
        "hours": st.integers(1, 40),
        "given": st.sampled_from(["card-reader", "patient"]),
    }
)
withdrawals = st.fixed_dictionaries({"facility": facilities, "classes": st.one_of(st.just(()), classes)})


def one_after_the_other(said: list[tuple[int, dict[str, Any]]]) -> list[ConsentEvent]:
    """As things happen: a consent counts from the moment it is given on, and none is given in the future."""
    history: list[ConsentEvent] = []
    for ago, words in sorted(said, key=lambda one: -one[0]):
        if "hours" not in words:
            history.append(withdrawn(**words))
            continue
        since = NOON - timedelta(hours=ago)
        until = since + timedelta(hours=words["hours"])
        rest = {name: value for name, value in words.items() if name != "hours"}
        history.append(granted(since=since, until=until, **rest))
    return history


histories = st.lists(st.tuples(st.integers(0, 60), st.one_of(grants, withdrawals)), max_size=12).map(
    one_after_the_other
)
