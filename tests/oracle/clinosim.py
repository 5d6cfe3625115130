"""The thirty patients that clinosim made, in the Bundles their hospital would send.

The generator writes resources one by one. As its documents were, they are put into Bundles mechanically: nothing in a
resource is changed, and the files are read where they lie.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from oracle.received import RESOURCE_TYPE, Json

HOSPITAL = "1300000000"
FOLDER = "clinosim-jp/seed-20240701"
BUNDLE_IDENTIFIER = "http://jpfhir.jp/fhir/clins/bundle-identifier"


def bundles(data: Path) -> Iterator[tuple[str, bytes]]:
    """The patient's number at the hospital, and a Bundle; hers in the order of their time."""
    for patient in _resources(data, "Patient"):
        number = patient["identifier"][0]["value"]
        sent = [*_sets(data, patient), *_reports(data, patient), *_documents(data, number)]
        for _, body in sorted(sent):
            yield number, body


def _sets(data: Path, patient: Json) -> Iterator[tuple[str, bytes]]:
    """All her diagnoses and all her allergies, anew on each day on which one of them was written down."""
    for kind, letter in (("Condition", "C"), ("AllergyIntolerance", "A")):
        hers = _hers(data, patient, kind)
        for day in sorted({one["recordedDate"][:10] for one in hers}):
            known = [one for one in hers if one["recordedDate"][:10] <= day]
            yield _collection(patient, kind, known, f"{day}T23:00:00+09:00", f"{letter}-{day}")


def _reports(data: Path, patient: Json) -> Iterator[tuple[str, bytes]]:
    """The results, and the orders, of each encounter."""
    for kind, letter, time in (
        ("Observation", "L", "effectiveDateTime"),
        ("MedicationRequest", "R", "authoredOn"),
    ):
        by_encounter = defaultdict(list)
        for one in _hers(data, patient, kind):
            by_encounter[one["encounter"]["reference"]].append(one)
        for found in by_encounter.values():
            last = max(one[time] for one in found)
            encounter = found[0]["encounter"]["reference"].rpartition("-")[2]
            yield _collection(patient, kind, found, last, f"{letter}-{encounter}")


def _documents(data: Path, number: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted((data / f"{FOLDER}-documents").iterdir()):
        body = path.read_bytes()
        tree = json.loads(body)
        (patient,) = (e["resource"] for e in tree["entry"] if e["resource"]["resourceType"] == "Patient")
        if patient["identifier"][0]["value"] == number:
            yield tree["timestamp"], body


def _collection(
    patient: Json, kind: str, found: list[Json], timestamp: str, local_id: str
) -> tuple[str, bytes]:
    number = patient["identifier"][0]["value"]
    bundle = {
        "resourceType": "Bundle",
        "meta": {"tag": [{"system": RESOURCE_TYPE, "code": kind}]},
        "identifier": {"system": BUNDLE_IDENTIFIER, "value": f"{HOSPITAL}^2024^{number}-{local_id}"},
        "type": "collection",
        "timestamp": timestamp,
        "entry": [
            {"fullUrl": f"https://example.invalid/fhir/{one['resourceType']}/{one['id']}", "resource": one}
            for one in (patient, *found)
        ],
    }
    return timestamp, json.dumps(bundle, ensure_ascii=False).encode()


def _hers(data: Path, patient: Json, kind: str) -> list[Json]:
    reference = f"Patient/{patient['id']}"
    return [
        one
        for one in _resources(data, kind)
        if (one.get("subject") or one["patient"])["reference"] == reference
    ]


@cache
def _resources(data: Path, kind: str) -> tuple[Json, ...]:
    lines = (data / FOLDER / f"{kind}.ndjson").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)
