"""The whole walk through HTTP only, on a real server: a Bundle goes in, a read is answered, all can tell why."""

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tsuzuri.app.sample.generate import sample_bundles, sample_patients
from tsuzuri.app.settings import read_settings
from tsuzuri.app.story.stage import Stage, document
from tsuzuri.app.story.tell import FACILITY, HBA1C, SIX
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.vocabulary import Role

PATIENTS, SEED = 2, 7
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@pytest.fixture(scope="module", params=["embedded", pytest.param("debian", marks=pytest.mark.debian)])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if request.param == "debian":
        if not DEBIAN:
            pytest.skip("no PostgreSQL of the distribution")
        os.environ["TSUZURI_PG_BIN"] = str(DEBIAN[-1].parent)
    try:
        stage = Stage(tmp_path_factory.mktemp("story"))
        stage.start()
    finally:
        os.environ.pop("TSUZURI_PG_BIN", None)
    yield stage
    stage.stop()


def token(stage: Stage, role: Role, person: str, **more: Any) -> str:
    settings = read_settings({"TSUZURI_HOME": str(stage.home), "TSUZURI_MODE": "development"})
    return development_token(settings, role=role, person=person, **more)


def post_bundle(stage: Stage, bearer: str, body: bytes) -> int:
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/fhir+json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{stage.url}/bundles", body, headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_the_story(stage: Stage) -> None:
    bundles = list(sample_bundles(PATIENTS, SEED))
    key = {"insuredPerson": sample_patients(1, SEED)[0].insured_person}
    doctor = token(stage, Role.CLINICIAN, "dr-hamada", facility=FACILITY)
    reader = token(stage, Role.SYSTEM, "card-reader-3", facility=FACILITY)
    operator = token(stage, Role.OPERATOR, "operator-ono")
    auditor = token(stage, Role.AUDITOR, "auditor-abe")

    # Facilities send their Bundles; sent once more, they change nothing.
    senders = {b.facility: token(stage, Role.SYSTEM, "emr", facility=b.facility) for b in bundles}
    first = [post_bundle(stage, senders[b.facility], b.body) for b in bundles]
    assert first.count(201) == len(bundles) - 1  # one is a correction under the same identifier
    assert first.count(200) == 1
    assert {post_bundle(stage, senders[b.facility], b.body) for b in bundles[-3:]} == {200}
    assert post_bundle(stage, reader, bundles[0].body) == 403  # another facility's Bundle
    stage.wait_until_indexed(operator)

    # Without consent the doctor is refused.
    refused = stage.ask(doctor, document("may"), patient=key, purpose="TREAT")["patientRecord"]
    assert refused["reason"] == "NOT_AVAILABLE"

    # With consent she sees six classes and a trend over two facilities.
    consent = stage.ask(reader, document("grant"), patient=key, facility=FACILITY, classes=SIX)[
        "grantConsent"
    ]
    record = stage.ask(doctor, document("summary"), patient=key)["patientRecord"]
    assert record["grounds"] == [{"basis": "CONSENT", "classes": SIX, "because": consent}]
    assert all(record["summary"].values())
    asked = stage.ask(doctor, document("lab_series"), patient=key, codes=HBA1C)["patientRecord"]
    points = asked["labSeries"]["points"]
    assert len(points) >= 3, "the last three, and what is not older than a year"
    assert len({point["facility"]["number"] for point in points}) == 2
    assert points == sorted(points, key=lambda point: str(point["effectiveAt"]))
    timeline = stage.ask(doctor, document("timeline"), patient=key, classes=["CONDITION"], first=5)[
        "patientRecord"
    ]
    assert {node["classTerm"] for node in timeline["entries"]["nodes"]} == {"傷病名"}

    # Withdrawn, the very next read is refused; and nobody opens an emergency who was not named.
    patient = record["patient"]["id"]
    own = token(stage, Role.PATIENT, "patient-0", patient=patient)
    stage.ask(own, document("withdraw"), patient={"id": patient}, facility=FACILITY)
    for purpose, reason in (("TREAT", "NOT_AVAILABLE"), ("BTG", "EMERGENCY_NOT_PERMITTED")):
        answer = stage.ask(doctor, document("may"), patient=key, purpose=purpose)["patientRecord"]
        assert answer["reason"] == reason

    # Named by the administrator of a hospital that takes emergencies, she opens the table; it is reviewed.
    stage.ask(
        operator,
        "mutation($facility: FacilityInput!) { listFacility(facility: $facility) }",
        facility={"number": FACILITY, "name": "潮見浜記念病院", "kind": "HOSPITAL", "emergency": True},
    )
    administrator = token(stage, Role.FACILITY_ADMIN, "admin-fuji", facility=FACILITY)
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    stage.ask(administrator, document("emergency_right"), person="dr-hamada", until=until)
    emergency = stage.ask(doctor, document("declare_emergency"), patient=key, reason="意識なし")
    table = stage.ask(doctor, document("emergency_table"), patient=key)["patientRecord"]
    assert table["grounds"] == [
        {"basis": "EMERGENCY", "emergencyTable": True, "because": emergency["declareEmergency"]["id"]}
    ]
    assert table["summary"]["conditions"] and table["lastCheckup"]
    stage.wait_until_indexed(operator)
    (review,) = stage.ask(administrator, document("open_reviews"), first=5)["accessReviews"]["nodes"]
    assert (review["cause"], review["reads"], review["reason"]) == ("EMERGENCY", 1, "意識なし")
    stage.ask(administrator, document("close_review"), review=review["id"], words="診療録を確認した")
    stage.wait_until_indexed(operator)
    assert stage.ask(auditor, document("open_reviews"), first=5)["accessReviews"]["totalCount"] == 0

    # The patient sees who looked: the answered reads, not the refusals; and nothing she has not been told.
    stage.wait_until_indexed(operator)
    me = stage.ask(own, document("own_accesses"), first=20)["me"]
    assert [access["bases"] for access in me["accesses"]["nodes"]] == [["EMERGENCY"], *[["CONSENT"]] * 3]
    assert {consent["withdrawn"] for consent in me["consents"]} == {True}
    everything = "{ me { record { entries(first: 200) { totalCount nodes { name flags } } } } }"
    told = stage.ask(own, everything)["me"]["record"]["entries"]
    assert told["totalCount"] > 100
    assert not [node for node in told["nodes"] if "UNINFORMED" in node["flags"]]

    # The auditor sees each read, its basis and the consent event it rests on.
    stage.wait_until_indexed(operator)
    trail = stage.ask(auditor, document("who_saw"), patient=patient, first=50)["accessTrail"]
    by_outcome = [node["outcome"] for node in trail["nodes"] if node["person"] == "dr-hamada"]
    assert by_outcome.count("PERMITTED") == 4
    assert by_outcome.count("REFUSED") == 3
    because = [
        n["because"] for n in trail["nodes"] if n["person"] == "dr-hamada" and n["outcome"] == "PERMITTED"
    ]
    assert because == [[emergency["declareEmergency"]["id"]], *[[consent]] * 3]

    # The operator rebuilds the index beside the live one: equal, and reads follow it.
    beside = stage.ask(
        operator, 'mutation { rebuildProjection(name: "record_index") { rebuild { generation } } }'
    )["rebuildProjection"]["rebuild"]
    assert beside["generation"] == 2
    stage.wait_until_filled(operator)
    checked = stage.ask(
        operator, '{ projectionCheck(name: "record_index") { equal differingPatients rows } }'
    )["projectionCheck"]
    assert checked["equal"] and checked["differingPatients"] == 0 and checked["rows"] > 400
    promoted = stage.ask(operator, 'mutation { promoteProjection(name: "record_index") { generation } }')
    assert promoted["promoteProjection"]["generation"] == 2
    again = stage.ask(own, everything)["me"]["record"]["entries"]
    assert again == told
