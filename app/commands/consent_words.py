"""What a Consent means, in a sentence for the person who wrote it."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from tsuzuri.domain.consent_intentions import (
    IntendedDenial,
    IntendedGrant,
    IntendedProxy,
    IntendedWithdrawal,
    Intention,
)
from tsuzuri.domain.vocabulary import RecordClass


def in_words(intention: Intention) -> str:
    match intention:
        case IntendedGrant():
            what = f"the referral {intention.document}" if intention.document else _classes(intention.classes)
            how = f"until {_moment(intention.until)}; given: {intention.given}"
            return f"{intention.facility} may see {what}, for {intention.purpose}, {how}"
        case IntendedDenial():
            whom = intention.facility or "every facility"
            return f"{whom} is denied {_classes(intention.classes)}, until that is lifted"
        case IntendedProxy():
            # Her id is not told: what is printed may be kept by others than the patient.
            return f"a {intention.relation} sees what the patient sees, until {_moment(intention.until)}"
        case IntendedWithdrawal():
            return f"what was said as {intention.said} ends"
        case _:
            assert_never(intention)


def _classes(classes: Sequence[RecordClass]) -> str:
    return ", ".join(classes) or "everything"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
