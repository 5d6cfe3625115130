"""What stands is given out as FHIR Consents that are valid R4 and read back as exactly the same."""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.consent import Consent as R4Consent
from hypothesis import given
from hypothesis import strategies as st

from consent_examples import sent
from examples import CLINIC, EVENT, HOSPITAL, NOON, PATIENT
from tsuzuri.domain.consent_intentions import IntendedDenial, IntendedGrant, IntendedProxy, standing
from tsuzuri.domain.consents import CARD_READER, ORAL, Consents, Denial, Grant, Proxy
from tsuzuri.domain.consents import PATIENT as HERSELF
from tsuzuri.domain.fhir.consent import read_consent
from tsuzuri.domain.fhir.consent_resource import consent_resources
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass

facilities = st.sampled_from([HOSPITAL, CLINIC, "4712345678"])
begun = st.datetimes(datetime(2020, 1, 1), NOON.replace(tzinfo=None), timezones=st.just(UTC))
ends = st.datetimes(
    NOON.replace(tzinfo=None) + timedelta(microseconds=1), datetime(8999, 12, 31), timezones=st.just(UTC)
)
classes = st.sets(st.sampled_from(RecordClass)).map(
    lambda some: tuple(one for one in RecordClass if one in some)
)
grants = st.builds(
    Grant,
    because=st.uuids(),
    facility=facilities,
    purpose=st.sampled_from(PurposeOfUse),
    classes=classes.filter(bool),
    since=begun,
    until=ends,
    given=st.sampled_from([CARD_READER, ORAL, HERSELF]),
)
letters = st.builds(
    Grant,
    because=st.uuids(),
    facility=facilities,
    purpose=st.just(PurposeOfUse.TREAT),
    classes=st.just((RecordClass.REFERRAL,)),
    since=begun,
    until=ends,
    given=st.sampled_from([CARD_READER, ORAL, HERSELF]),
    document=st.uuids(),
)
denials = st.builds(Denial, because=st.uuids(), facility=st.none() | facilities, classes=classes)
proxies = st.builds(
    Proxy,
    because=st.uuids(),
    person=st.text("abc-0123:@日本", min_size=1, max_size=20),
    relation=st.sampled_from(ProxyRelation),
    since=begun,
    until=ends,
)
said = st.builds(
    Consents,
    patient=st.uuids(),
    grants=st.lists(grants | letters, max_size=4).map(tuple),
    denials=st.lists(denials, max_size=3).map(tuple),
    proxies=st.lists(proxies, max_size=3).map(tuple),
)


@given(said)
def test_what_is_given_out_reads_back_as_exactly_the_same(consents: Consents) -> None:
    resources = consent_resources(consents, NOON)

    back = [read_consent(sent(resource), NOON) for resource in resources]

    assert [read.intentions for read in back] == [(meant,) for _, meant in standing(consents, NOON)]
    assert {read.patient for read in back} <= {consents.patient}
    assert [UUID(resource["identifier"][0]["value"]) for resource in resources] == [
        event for event, _ in standing(consents, NOON)
    ]


@given(said)
def test_what_is_given_out_is_of_the_shape_of_fhir_r4(consents: Consents) -> None:
    for resource in consent_resources(consents, NOON):
        again = json.loads(R4Consent.model_validate(resource).model_dump_json())

        assert again["status"] == "active"
        assert "policy" in again or "policyRule" in again, "ppc-1, which R4B does not ask for"


@pytest.mark.parametrize(
    ("said", "meant"),
    [(Grant, IntendedGrant), (Denial, IntendedDenial), (Proxy, IntendedProxy)],
)
def test_nothing_that_limits_what_stands_is_left_out(said: type[Any], meant: type[Any]) -> None:
    told = {field.name for field in fields(meant)}

    assert {field.name for field in fields(said)} - {"because"} == told, (
        "given out without it, it would mean more"
    )


def test_what_is_over_or_has_not_begun_is_not_given_out() -> None:
    def grant(since: datetime, until: datetime) -> Grant:
        return Grant(EVENT, HOSPITAL, PurposeOfUse.TREAT, (RecordClass.CONDITION,), since, until, HERSELF)

    hour = timedelta(hours=1)
    held = (grant(NOON - hour, NOON), grant(NOON + hour, NOON + 2 * hour), grant(NOON, NOON + hour))

    assert [meant for _, meant in standing(Consents(PATIENT, grants=held), NOON)] == [
        meant for _, meant in standing(Consents(PATIENT, grants=held[2:]), NOON)
    ]
    assert len(consent_resources(Consents(PATIENT, grants=held), NOON)) == 1
