"""A patient's consents from what happened, and an answer taken as the permission or the refusal it must be."""

from datetime import timedelta
from functools import reduce
from uuid import UUID

from examples import EVENT, PATIENT
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.consents import ConsentEvent as Said
from tsuzuri.domain.consents import Consents, evolve
from tsuzuri.domain.events import ConsentGranted, ConsentWithdrawn
from tsuzuri.domain.vocabulary import RefusalReason

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
