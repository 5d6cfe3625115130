"""How an entry of a Bundle is flagged, and by which key it is known again."""

from datetime import UTC, datetime

import pytest

from fhir_examples import CORE_LABO, a_collection, a_resource, coded, only_entry, read, rejected
from tsuzuri.domain.vocabulary import Flag

RESOURCE_SYSTEM = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
FLAG_SYSTEM = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"


# Flags


@pytest.mark.parametrize("flag", list(Flag))
def test_a_flag_and_its_date_are_read(flag: Flag) -> None:
    meta = {"tag": [{"system": FLAG_SYSTEM, "code": flag}], "lastUpdated": "2026-01-01T00:00:00+09:00"}

    entry = only_entry(a_collection(a_resource("Condition", meta=meta)))

    assert entry.flags == (flag,)
    assert entry.flagged_at == datetime(2025, 12, 31, 15, tzinfo=UTC)


def test_a_hiding_flag_hides_whatever_its_system() -> None:
    reading = read(a_collection(a_resource("Condition", meta={"tag": [{"code": "UNINFORMED"}]})))

    assert reading.entries[0].flags == (Flag.UNINFORMED,)
    assert reading.warnings == ("hiding-flag-of-another-system",)


def test_a_flag_nobody_knows_stops_the_bundle() -> None:
    meta = {"tag": [{"system": FLAG_SYSTEM, "code": "uninformed"}]}

    assert "LTS, UNINFORMED, UNDELIVERED" in rejected(a_collection(a_resource("Condition", meta=meta))).reason


# Keys


def test_a_key_outlives_new_urls_order_values_and_wording() -> None:
    shared = {
        "identifier": [{"system": RESOURCE_SYSTEM, "value": "same for both"}],
        "effectiveDateTime": "2026",
    }
    first = a_resource("Observation", code=coded(CORE_LABO, "1", "あ"), **shared)
    second = a_resource("Observation", code=coded(CORE_LABO, "2", "い"), **shared)
    reworded = first | {"code": coded(CORE_LABO, "1", "う"), "valueInteger": 9}

    before = [entry.key for entry in read(a_collection(first, second)).entries]
    after = [entry.key for entry in read(a_collection(second, reworded)).entries]

    assert len(set(before)) == 2
    assert before == after[::-1]


def test_equals_are_told_apart_by_their_order() -> None:
    same = a_resource("MedicationRequest", authoredOn="2026-01-01")

    keys = [entry.key for entry in read(a_collection(same, same, same)).entries]

    assert len(set(keys)) == 3
    assert keys[:2] == [entry.key for entry in read(a_collection(same, same)).entries]
