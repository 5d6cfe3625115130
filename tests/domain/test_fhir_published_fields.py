"""The sixteen published Bundles field by field, entry by entry: none is lost, none is made up, each says what it says.

The files of the guides against lines copied from them by eye; the generator's documents against a second reading.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import oracle.received
from published_lines import CHECKUP, ENTRIES, RESOURCES
from tsuzuri.domain.fhir.bundle import read_bundle
from tsuzuri.domain.record import Entry, Reading
from tsuzuri.domain.vocabulary import DocumentKind

DATA = Path(os.environ.get("TSUZURI_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
FILES = {
    "Observations": "jp-clins-1.5.2/Bundle-Bundle-CLINS-Observations-Example-01.json",
    "Referral": "jp-clins-1.5.2/Bundle-Bundle-CLINS-Referral-Example-01.json",
    "Referral-NoEntry": "jp-clins-1.5.2/Bundle-Bundle-CLINS-Referral-NoEntry-Example-01.json",
    "PCS": "jp-clins-1.5.2/Bundle-Bundle-CLINS-PCS-Example-01.json",
    "eCheckupReport": "jp-echeckup-1.5.0/Bundle-Bundle-eCheckupReport-Sample-02-GroupItems.json",
    "bundleReferral": "jp-ereferral-0.9/Bundle-bundleReferralExample01.json",
}
GENERATED = ["discharge-01", "discharge-02", "discharge-03", "discharge-04", "discharge-05", "discharge-07"]
GENERATED += ["discharge-09", "referral-00", "referral-06", "referral-08"]
HOSPITAL = "1300000000"

pytestmark = pytest.mark.realdata


def body(name: str) -> bytes:
    return (DATA / FILES.get(name, f"clinosim-jp/seed-20240701-documents/{name}.json")).read_bytes()


def lines(text: str, fields: int) -> list[list[str]]:
    """The cells of each line; empty ones where a line ends early."""
    split = ([cell.strip() for cell in line.split("|")] for line in text.strip().splitlines())
    return [cells + [""] * (fields - len(cells)) for cells in split]


def told(entry: Entry) -> list[str]:
    return [
        str(entry.resource_place),
        entry.record_class,
        entry.name,
        " ".join(coding.code for coding in entry.codings),
        entry.value.text if entry.value else "",
        entry.effective or "",
        entry.status or "",
        entry.facility,
        entry.author or "",
        entry.detail or "",
    ]


@pytest.mark.parametrize("name", RESOURCES)
def test_a_published_bundle_holds_the_entries_that_it_is_said_to(name: str) -> None:
    listed = [kind.split("*") for kind in RESOURCES[name].split()]
    expected = [kind for kind, *times in listed for _ in range(int(times[0]) if times else 1)]

    assert [entry["resource"]["resourceType"] for entry in json.loads(body(name))["entry"]] == expected


def test_they_are_of_these_sizes() -> None:
    sizes = {name: len(json.loads(body(name))["entry"]) for name in FILES}

    assert sizes == {
        "Observations": 5,
        "Referral": 18,
        "Referral-NoEntry": 6,
        "PCS": 8,
        "eCheckupReport": 57,
        "bundleReferral": 21,
    }


@pytest.mark.parametrize("name", ENTRIES)
def test_each_entry_of_a_published_bundle_is_read_as_it_stands_there(name: str) -> None:
    assert [told(entry) for entry in read_bundle(body(name)).entries] == lines(ENTRIES[name], 10)


def test_units_and_decimals_of_the_laboratory_report_are_the_senders() -> None:
    values = [entry.value for entry in read_bundle(body("Observations")).entries]

    assert [(value.number, value.unit) for value in values if value] == [
        ("3.9", "mg/L"),
        ("3.5", "mEq/L"),
        ("75", "ml/min/1.73m2"),
        (None, None),
    ]


def test_each_of_the_forty_nine_lines_of_the_check_up_is_read_as_it_stands_there() -> None:
    entries = read_bundle(body("eCheckupReport")).entries

    assert [
        [
            str(entry.resource_place),
            entry.name,
            " ".join(coding.code for coding in entry.codings),
            entry.value.text if entry.value else "",
            entry.interpretation or "",
            f"{span.low}-{span.high}" if (span := entry.reference_range) else "",
        ]
        for entry in entries
    ] == lines(CHECKUP, 6)
    assert {(entry.record_class, entry.status, entry.effective, entry.facility) for entry in entries} == {
        ("CHECKUP_REPORT", "final", "2020-04-04", "1311234567")
    }


def test_the_check_up_says_the_same_under_the_code_of_either_guide() -> None:
    received = body("eCheckupReport")
    assert received.count(b"53576-5") == 1
    other = read_bundle(received.replace(b"53576-5", b"JPGCHKUP01"))

    assert other.document.kind is DocumentKind.CHECKUP_REPORT
    assert comparable(other) == comparable(read_bundle(received))


def comparable(reading: Reading) -> tuple[Any, ...]:
    return reading.document, reading.subject, [(entry.key, told(entry)) for entry in reading.entries]


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_of_the_informations_in_a_generated_document_is_taken_out_of_it(name: str) -> None:
    second = oracle.received.read(body(name), HOSPITAL)
    reading = read_bundle(body(name))
    informations = [entry for entry in reading.entries if entry.resource_type != "DocumentReference"]

    assert [fields(entry, reading.document.kind) for entry in informations] == [
        {**fact.told, "record_class": fact.record_class, "moment": fact.moment} for fact in second.facts
    ]
    assert len(informations) == len(second.facts) > 10


def fields(entry: Entry, kind: DocumentKind) -> dict[str, Any]:
    """As GraphQL names them; what no generated entry has is None on both sides."""
    return {
        "record_class": entry.record_class,
        "moment": entry.effective_at,
        "name": entry.name,
        "codings": [{"system": c.system, "code": c.code, "display": c.display} for c in entry.codings],
        "effective": entry.effective,
        "status": entry.status,
        "verification": entry.verification,
        "value": entry.value,
        "interpretation": entry.interpretation,
        "referenceRange": entry.reference_range,
        "ended": entry.ended,
        "resourceType": entry.resource_type,
        "documentKind": kind,
        "author": entry.author,
        "department": entry.department,
        "facility": {"number": entry.facility},
        "registeredBy": {"number": HOSPITAL},
    }


DRUGS = {
    "discharge-07": [
        "セフトリアキソン",
        "生理食塩液",
        "アセトアミノフェン",
        "エノキサパリン",
        "レボフロキサシン",
    ],
    "referral-06": [
        "サルブタモール",
        "イプラトロピウム",
        "フルチカゾン/サルメテロール",
        "サルブタモール",
        "生理食塩液",
        "メチルプレドニゾロン",
        "ワルファリン",
        "吸入ステロイド／β2刺激薬配合吸入剤",
        "フルチカゾン/サルメテロール",
        "ワルファリン",
        "プレドニゾロン",
        "サルブタモール",
    ],
}
DIAGNOSES = {
    "discharge-07": [
        "腎結石",
        "急性腎盂腎炎",
        "炎症性関節炎および痛風結節症を伴わない高尿酸血症",
        "白内障、詳細不明",
        "腰痛",
    ],
    "referral-06": ["喘息", "心房細動", "過体重", "ニコチン依存症（紙巻きたばこ、合併症なし）"],
}


@pytest.mark.parametrize("name", DRUGS)
def test_two_generated_documents_by_eye(name: str) -> None:
    def names(record_class: str) -> Sequence[str]:
        return [one.name for one in read_bundle(body(name)).entries if one.record_class == record_class]

    assert names("PRESCRIPTION") == DRUGS[name]
    assert names("CONDITION") == DIAGNOSES[name]
    assert names("OTHER_ALLERGY") == ["アレルギー歴なし"]
