"""Tells the story in plain lines with real numbers: `python -m tsuzuri.app.story.tell [--serve]`."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tsuzuri.app.sample.generate import sample_patients
from tsuzuri.app.story.stage import Stage, StoryBroken, document

PATIENTS, SEED = 12, 7
FACILITY = "1419902028"  # 潮見浜記念病院: has registered nothing about the patient of the story
SIX = ["CONDITION", "DRUG_ALLERGY", "OTHER_ALLERGY", "INFECTION", "LAB_RESULT", "PRESCRIPTION"]
HBA1C = ["3D046000001906202", "3D046000001920402"]  # JLAC10, by two methods: the two laboratories differ
TRAIL_SHOWN = 20


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--serve", action="store_true", help="leave the server up, with a token for each role"
    )
    arguments.add_argument("--home", type=Path, help="keep everything here; else a folder that is removed")
    chosen = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped with the story
    home = chosen.home or Path(tempfile.mkdtemp(prefix="tsuzuri-demo-"))
    stage = Stage(home, 8080 if chosen.serve else None)
    try:
        patient = tell(stage)
        if chosen.serve:
            serve(stage, patient)
    finally:
        stage.stop()
        if chosen.home is None:
            shutil.rmtree(home, ignore_errors=True)


def tell(stage: Stage) -> str:
    """The story. Raises StoryBroken where it does not go as told; returns the patient's id."""
    say("A facility's Bundles come in.")
    bring_in(stage)
    stage.start()
    number = sample_patients(1, SEED)[0].insured_person
    key = {"insuredPerson": number}
    doctor = stage.token("CLINICIAN", "dr-hamada", "--facility", FACILITY)
    operator = stage.token("OPERATOR", "operator-ono")
    stage.wait_until_indexed(operator)

    say("A doctor of 潮見浜記念病院 asks for the patient, who has not consented.")
    refused(stage, doctor, key, "TREAT")

    say("The patient consents at the card reader: six classes, 24 hours.")
    reader = stage.token("SYSTEM", "card-reader-3", "--facility", FACILITY)
    event = stage.ask(reader, document("grant"), patient=key, facility=FACILITY, classes=SIX)["grantConsent"]
    line(f"consent event {event}")
    patient = see(stage, doctor, key)

    say("The patient withdraws. The very next read is refused.")
    own = stage.token("PATIENT", "patient-0", "--patient", patient)
    stage.ask(own, document("withdraw"), patient={"id": patient}, facility=FACILITY)
    refused(stage, doctor, key, "TREAT")

    say(
        "That night she is brought in unconscious. The doctor, whom the hospital has named, declares an emergency."
    )
    refused(stage, doctor, key, "BTG")
    administrator = stage.token("FACILITY_ADMIN", "admin-fuji", "--facility", FACILITY)
    emergency(stage, administrator, doctor, key)

    stage.wait_until_indexed(operator)
    say("The hospital's administrator reviews it.")
    review(stage, administrator)

    say("The patient looks who has seen her record.")
    show_own_accesses(stage.ask(own, document("own_accesses"), first=TRAIL_SHOWN)["me"])

    stage.wait_until_indexed(operator)
    say("The auditor asks who saw her, and on what basis.")
    auditor = stage.token("AUDITOR", "auditor-abe")
    show_trail(stage.ask(auditor, document("who_saw"), patient=patient, first=TRAIL_SHOWN)["accessTrail"])

    say(
        "She need not believe it: the log is signed, and a proof of all looks at her record is checked without us."
    )
    prove(stage, own)

    say("The operator rebuilds the record index beside the live one.")
    line(stage.run("projections", "rebuild", "record_index", show=True))
    return patient


def bring_in(stage: Stage) -> None:
    folder = stage.home / "sample"
    line(stage.run("sample", str(folder), "--patients", str(PATIENTS), "--seed", str(SEED)))
    line(stage.run("facilities", "load", str(folder / "facilities.json")))
    (folder / "facilities.json").unlink()
    for told in stage.run("ingest", str(folder)).splitlines():
        line(told)


def refused(stage: Stage, token: str, key: dict[str, Any], purpose: str) -> str:
    answer = stage.ask(token, document("may"), patient=key, purpose=purpose)["patientRecord"]
    line(f"{answer['__typename']}: {answer.get('reason', '')} (access {answer['accessId']})")
    return str(answer.get("reason", ""))


def see(stage: Stage, token: str, key: dict[str, Any]) -> str:
    record = stage.ask(token, document("summary"), patient=key)["patientRecord"]
    patient = record["patient"]
    line(f"{patient['name']} ({patient['kana']}), born {patient['birthDate']}, access {record['accessId']}")
    for name, entries in record["summary"].items():
        first = entries[0]
        told = f"{first['name']} {(first.get('value') or {}).get('text', '')}".strip()
        line(f"{name:15} {len(entries):3}  {told} ({first['facility']['name']})")
    asked = stage.ask(token, document("lab_series"), patient=key, codes=HBA1C)["patientRecord"]
    points = asked["labSeries"]["points"]
    numbers = [point["value"]["number"] for point in points]
    facilities = {point["facility"]["name"] for point in points}
    line(f"HbA1c: {len(points)} results from {len(facilities)} facilities, {' → '.join(numbers)} %")
    return str(patient["id"])


def emergency(stage: Stage, administrator: str, doctor: str, key: dict[str, Any]) -> None:
    """The right is given, the emergency declared, and its table read."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    stage.ask(administrator, document("emergency_right"), person="dr-hamada", until=tomorrow)
    declared = stage.ask(doctor, document("declare_emergency"), patient=key, reason="救急搬送、意識なし")
    line(f"emergency {declared['declareEmergency']['id']}, for 60 minutes")
    record = stage.ask(doctor, document("emergency_table"), patient=key)["patientRecord"]
    for name, entries in record["summary"].items():
        first = f"{entries[0]['name']} ({entries[0]['facility']['name']})" if entries else "-"
        line(f"{name:15} {len(entries):3}  {first}")
    line(f"last check-up   {(record['lastCheckup'] or '-')[:10]}; the rest would be a second step")


def review(stage: Stage, administrator: str) -> None:
    (waiting,) = stage.ask(administrator, document("open_reviews"), first=5)["accessReviews"]["nodes"]
    line(f"{waiting['cause']} by {waiting['person']}: {waiting['reason']}; {waiting['reads']} read")
    stage.ask(administrator, document("close_review"), review=waiting["id"], words="救急外来の診療録を確認")
    line("closed: JUSTIFIED, the emergency department's chart was checked")


def show_own_accesses(me: dict[str, Any]) -> None:
    for access in me["accesses"]["nodes"]:
        facility = access["facility"]["name"] if access["facility"] else "herself"
        how = ", ".join(access["bases"])
        line(f"{access['at'][:19]}Z  {access['role']} of {facility}, {access['purpose']}, by {how}")
    given = Counter(
        (
            consent["facility"]["name"],
            "withdrawn" if consent["withdrawn"] else f"until {consent['until'][:19]}Z",
        )
        for consent in me["consents"]
    )
    for (facility, state), classes in given.items():
        line(f"consent: {facility}, {classes} classes, {state}")


def show_trail(trail: dict[str, Any]) -> None:
    line(f"{trail['totalCount']} accesses, complete until {trail['completeUntil'][:19]}Z")
    for access in trail["nodes"]:
        why = access["reason"] or ", ".join(access["bases"]) or "-"
        because = f" because of event {access['because'][0]}" if access["because"] else ""
        line(
            f"{access['at'][:19]}Z  {access['outcome']:10} {access['person']:12} {why}"
            f" ({access['operationName'] or 'unnamed'}, {access['entriesShown']} entries){because}"
        )


def prove(stage: Stage, token: str) -> None:
    """The proof leaves in a file, and is checked with the public key: no database, no server."""
    stage.run("audit", "checkpoint")
    proof = stage.home / "accesses.proof"
    proof.write_text(stage.ask(token, document("own_proof"))["me"]["accessesProof"]["file"], "utf-8")
    key = stage.run("audit", "public-key")
    for told in stage.run("audit", "verify", str(proof), "--key", key).splitlines():
        line(told)


def serve(stage: Stage, patient: str) -> None:
    """Leave the server up until it is interrupted."""
    say(f"The server stays up: {stage.url}/graphiql/ (end it with Ctrl-C)")
    facility = ("--facility", FACILITY)
    for role, person, more in (
        ("CLINICIAN", "dr-hamada", facility),
        ("PHARMACIST", "pharmacist-hino", facility),
        ("FACILITY_ADMIN", "admin-fuji", facility),
        ("SYSTEM", "card-reader-3", facility),
        ("PATIENT", "patient-0", ("--patient", patient)),
        ("AUDITOR", "auditor-abe", ()),
        ("OPERATOR", "operator-ono", ()),
    ):
        print(f"\n{role}\n{stage.token(role, person, *more)}", flush=True)
    assert stage.server is not None
    try:
        stage.server.wait()
    except KeyboardInterrupt:
        print()


def say(text: str) -> None:
    print(f"\n{text}", flush=True)


def line(text: str) -> None:
    print(f"  {text}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except StoryBroken as broken:
        sys.exit(f"the story broke: {broken}")
