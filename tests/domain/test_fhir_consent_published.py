"""Every published Consent, by HL7 and by IHE (PCF): what it means here, or what keeps it from being taken."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from conftest import shared_data
from consent_examples import a_class, a_facility, permit, sent
from tsuzuri.domain.consent_intentions import IntendedDenial, IntendedGrant
from tsuzuri.domain.fhir.consent import read_consent
from tsuzuri.domain.fhir.consent_gaps import ConsentInexpressible
from tsuzuri.domain.vocabulary import RecordClass

pytestmark = pytest.mark.realdata

AT = datetime(2022, 7, 1, tzinfo=UTC)  # when those that end are still in force
EXPRESSED = {"ex-consent-basic-reject": (IntendedDenial(None, ()),)}

P = "Consent.provision"
N = "Consent.provision.provision"
A_FOREIGN_PERMIT = f"Consent.policy {P}.actor {P}.period.end {P}.class"


def untyped(n: int) -> str:
    """What is missing of one of the rules of "pkb", which its provision limits too."""
    rule = f"{N}[{n}]"
    return f"{rule}.securityLabel {rule}.actor[0].reference {rule} {rule}.type {rule}.purpose"


MISSING = {
    # HL7
    "consent-example-Out": f"{P}.actor[0].role {P}.purpose Consent.policyRule",
    "consent-example-grantor": (
        f"Consent.category[0] {P}.actor[0].role {P}.actor[1].reference {P}.purpose Consent.policyRule"
    ),
    "consent-example-notOrg": f"{P}.action[1] {P}.actor[0].reference {P}.purpose Consent.policyRule",
    "consent-example-notThis": f"{P}.data[0] {P}.actor {P}.period.end {P}.class {P}.purpose",
    "consent-example-pkb": " ".join(
        [f"{P}.securityLabel {P}.actor[0].reference", *map(untyped, range(11))]
    ).replace(f"{N}[1]", f"Consent.policyRule {N}[1]", 1),
    "consent-example-smartonfhir": f"Consent.performer[0] {N}[0].actor {N}[0].period.end {N}[0].purpose",
    # IHE
    "ex-consent-advanced-normal-break-glass-restricted": (
        f"{P}.securityLabel {P}.type {N}[0].securityLabel {N}[0].actor[0].reference {N}[0]"
    ),
    "ex-consent-advanced-normal-focused-psy": (
        f"{P}.securityLabel {P}.type {N}[0].securityLabel {N}[0].actor[0].reference"
    ),
    "ex-consent-advanced-normal-not-restricted": f"{P}.securityLabel {P}.type {N}[0].securityLabel",
    "ex-consent-advanced-normal": f"{P}.securityLabel {A_FOREIGN_PERMIT}",
    "ex-consent-basic-treat-infant": f"Consent.performer[0] {A_FOREIGN_PERMIT}",
    "ex-consent-expired-treat": f"Consent.policy {P}.actor {P}.class",
    "ex-consent-intermediate-data": " ".join([*(f"{P}.data[{n}]" for n in range(6)), A_FOREIGN_PERMIT]),
    "ex-consent-intermediate-not-authoredby": f"{P}.type {N}[0].data[0]",
    "ex-consent-intermediate-not-encounter": f"{P}.type {N}[0].data[0]",
    "ex-consent-intermediate-purpose": (
        f"{P}.actor[0].reference {P}.purpose[0] Consent.policy {P}.period.end {P}.class"
    ),
    "ex-dissent-intermediate-break-glass": f"{P}.type {N}[0].actor[0].reference",
}


def published() -> Iterator[dict[str, Any]]:
    for file in sorted((shared_data() / "hl7-r4-examples").glob("Consent-*.json")):
        yield json.loads(file.read_bytes())
    for line in (shared_data() / "ihe" / "pcf.ndjson").read_bytes().splitlines():
        resource = json.loads(line)
        if resource["resourceType"] == "Consent":
            yield resource


def of(name: str) -> dict[str, Any]:
    return next(one for one in published() if one["id"] == name)


def test_none_is_forgotten() -> None:
    names = [one["id"] for one in published()]

    assert sorted(names) == sorted([*EXPRESSED, *MISSING]) and len(names) == 18


@pytest.mark.parametrize("name", EXPRESSED)
def test_what_can_be_expressed_is(name: str) -> None:
    read = read_consent(sent(of(name)), AT)

    assert read.intentions == EXPRESSED[name]
    assert read.patient is None, "it is about a patient of another server"


@pytest.mark.parametrize("name", MISSING)
def test_what_cannot_is_refused_with_all_that_is_missing(name: str) -> None:
    with pytest.raises(ConsentInexpressible) as refused:
        read_consent(sent(of(name)), AT)

    assert [gap.path for gap in refused.value.gaps] == MISSING[name].split()


def test_the_plain_consent_of_ihe_can_be_taken_when_what_is_missing_is_added() -> None:
    consent = of("ex-consent-basic-treat-infant")
    added = permit(
        actor=[a_facility()], purpose=consent["provision"]["purpose"], **{"class": [a_class("CONDITION")]}
    )
    mended = consent | {
        "provision": consent["provision"] | added,
        "performer": [consent["patient"]],
        "policy": [{"uri": "urn:tsuzuri:consent-policy"}],
    }

    grants = read_consent(sent(mended), AT).intentions

    assert [(one.classes, one.purpose) for one in grants if isinstance(one, IntendedGrant)] == [
        ((RecordClass.CONDITION,), purpose) for purpose in ("TREAT", "HPAYMT", "HOPERAT")
    ]
