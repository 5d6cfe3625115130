"""What a FHIR Consent is read as, and what the tests of it have in common."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from consent_examples import (
    Json,
    sent,
)
from examples import HOSPITAL, NOON
from tsuzuri.domain.consent_intentions import (
    IntendedGrant,
    Intention,
)
from tsuzuri.domain.fhir.consent import ReadConsent, read_consent
from tsuzuri.domain.fhir.consent_gaps import ConsentInexpressible
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass

UNTIL = datetime(2089, 12, 31, 15, tzinfo=UTC)
CANARY = "カナリア"
REFERRAL = UUID("dddddddd-0000-4000-8000-000000000001")


def read(consent: Json) -> ReadConsent:
    return read_consent(sent(consent), NOON)


def means(consent: Json) -> tuple[Intention, ...]:
    return read(consent).intentions


def missing(consent: Json) -> dict[str, str]:
    with pytest.raises(ConsentInexpressible) as refused:
        read(consent)
    return {gap.path: gap.reason for gap in refused.value.gaps}


def granted(**changes: Any) -> IntendedGrant:
    usual: dict[str, Any] = {
        "facility": HOSPITAL,
        "classes": (RecordClass.CONDITION,),
        "purpose": PurposeOfUse.TREAT,
        "until": UNTIL,
    }
    return IntendedGrant(**usual | changes)


def identified(value: str) -> list[Json]:
    return [{"system": "urn:tsuzuri:consent", "value": value}]


def instance(meaning: str = "instance", **reference: Any) -> Json:
    identifier = {"system": "urn:tsuzuri:document", "value": str(REFERRAL)}
    return {"meaning": meaning, "reference": {"identifier": identifier} | reference}


# What can be said
