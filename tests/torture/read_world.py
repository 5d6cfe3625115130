"""A world in which everything can be read: whatever can happen to a record has happened to one of a few patients.

The story's diabetic, some of the sample's courses and hidden marks; Bundles replaced, cancelled, for somebody who is
the same person, for somebody who may not be; consents, denials, a proxy, an emergency, a disaster, referrals, requests
for correction, reads and refusals of all of them; one generation that waits, and one patient set aside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from correction_examples import ANSWER, REQUEST, TAKE_BACK
from document_examples import SENDER, diagnosis, referral
from emergency_examples import (
    ADMIN,
    END,
    OPEN_WINDOW,
    TOWN,
    WIDEN,
    by_id,
    declared,
    entitled,
)
from examples import (
    AUDITOR,
    CLINIC,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    NUMBER,
    OPERATOR,
    a_bundle,
    a_caller,
    herself,
)
from projection_examples import an_engine
from referral_examples import RECEIVE
from tsuzuri.app.actions.register_bundles import register_bundles
from tsuzuri.app.sample.generate import facilities, sample_bundles, sample_patients
from tsuzuri.app.sample.places import AOBADAI
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import RecordClass, Role
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.rebuilding import rebuild
from world import CANCEL, World

SEED = 7
OF_THE_SAMPLE = (0, 1, 2, 3, 11, 17)  # the story's diabetic, a family, who is not told, from whom all is kept
OTHER_NUMBER = NUMBER.replace("187", "388")
AOBADAI_DOCTOR = a_caller("dr-aoba", Role.CLINICIAN, AOBADAI.number)
PHARMACIST = a_caller("ph-sato", Role.PHARMACIST, HOSPITAL)
CLINIC_DOCTOR = a_caller("dr-sakai", Role.CLINICIAN, CLINIC)
CLINIC_ADMIN = a_caller("admin-arai", Role.FACILITY_ADMIN, CLINIC)
DAUGHTER = a_caller("daughter", Role.PATIENT, patient=UUID(int=77, version=4))
STRANGER = a_caller("dr-hoka", Role.CLINICIAN, "1315555555")
_GRANT = """mutation($patient: PatientKey!, $to: String!, $classes: [RecordClass!]!, $until: DateTime) {
  grantConsent(patient: $patient, facility: $to, classes: $classes, until: $until) }"""
_LETTER = """mutation($patient: PatientKey!, $to: String!, $letter: ID!) {
  grantConsent(patient: $patient, facility: $to, classes: [REFERRAL], document: $letter) }"""
_WITHDRAW = (
    "mutation($patient: PatientKey!, $to: String!) { withdrawConsent(patient: $patient, facility: $to) }"
)
_DENY = """mutation($patient: PatientKey!, $to: String, $classes: [RecordClass!]) {
  denyConsent(patient: $patient, facility: $to, classes: $classes) }"""
_LIFT = "mutation($patient: PatientKey!, $denial: ID!) { liftDenial(patient: $patient, denial: $denial) }"
_APPOINT = """mutation($patient: PatientKey!) { appointProxy(patient: $patient, person: "daughter",
  relation: DELEGATE, until: "2090-01-01T00:00:00+09:00") }"""
_LINK = 'mutation($her: ID!, $other: ID!) { linkPatients(survivor: $her, other: $other, reason: "同一人") }'
_CLOSE = """mutation($review: ID!) { closeReview(review: $review, finding: JUSTIFIED, words: "救急搬送") }"""
_REBUILD = "mutation($name: String!) { rebuildProjection(name: $name) { name } }"
_LOOK = """query Look($patient: PatientKey!, $purpose: PurposeOfUse!) { patientRecord(patient: $patient,
  purpose: $purpose) { ... on PatientRecord { summary { conditions { name } labResults { name } }
  entries(first: 3) { totalCount } } } }"""
_OWN = "query Own { me { summary { conditions { name } } } }"
_LONG = "2090-01-01T00:00:00+09:00"


@dataclass(frozen=True)
class Inhabited:
    """Who and what is there."""

    patients: Mapping[str, UUID]  # by what became of them
    numbers: Mapping[str, str]  # 被保険者番号 of each
    documents: Mapping[str, tuple[UUID, ...]]
    at: datetime  # aware: behind all that happened


async def inhabited(world: World) -> Inhabited:
    """Told in an empty world; all of it is in the projections afterwards."""
    for facility in facilities():
        await world.application.list_facility(OPERATOR, facility)
    await entitled(world)
    found = await _sent(world)
    world.project()
    await _said(world, found)
    world.project()
    await _looked(world, found)
    world.project()
    await _set_aside(world)
    return found


async def _sent(world: World) -> Inhabited:
    people = sample_patients(max(OF_THE_SAMPLE) + 1, SEED)
    bundles = [one for one in sample_bundles(len(people), SEED) if one.patient in OF_THE_SAMPLE]
    bodies = [one.body for one in bundles]
    told = await register_bundles(world.application.services, OPERATOR, bodies, on_behalf=True)
    patients: dict[str, UUID] = {}
    documents: dict[str, list[UUID]] = {}
    for bundle, one in zip(bundles, told, strict=True):
        assert isinstance(one, RegisteredBundle), one
        patients[f"sample {bundle.patient}"] = one.patient
        documents.setdefault(f"sample {bundle.patient}", []).append(one.document)
    numbers = {f"sample {number}": people[number].insured_person for number in OF_THE_SAMPLE}

    letters = [referral(diagnosis("狭心症")), referral(diagnosis("腰痛"), local_id="ref-2", data=None)]
    letters += [referral(diagnosis("高血圧症", "UNDELIVERED"), local_id="ref-3", recipient=CLINIC)]
    mixed = [await world.application.register_bundle(SENDER, one) for one in letters]
    others = {name: number for name, number in (("mixed", NUMBER), ("other", OTHER_NUMBER))}
    for more in (
        {"conditions": {"20065011": "上腹部痛", "8830417": "片頭痛"}, "flags": {"8830417": "UNINFORMED"}},
        {
            "timestamp": "2026-11-20T11:00:00+09:00",
            "conditions": {"20065011": "上腹部痛", "20058911": "狭心症"},
        },
        {"local_id": "set-2", "facility": HOSPITAL, "conditions": {"20058911": "狭心症"}},
        {"local_id": "set-9", "facility": "1314444444", "name": "別人 太郎"},
    ):
        system = a_caller("system", Role.SYSTEM, str(more.get("facility", CLINIC)))
        await world.application.register_bundle(system, a_bundle(**more))
    other = await world.application.register_bundle(
        CLINIC_SYSTEM, a_bundle(number=OTHER_NUMBER, local_id="of-other").replace(b'"P-1"', b'"P-2"')
    )
    doubtful = a_bundle(local_id="of-whom").replace(b"1970-01-02", b"1990-01-02")
    await world.application.register_bundle(CLINIC_SYSTEM, doubtful)
    patients |= {"mixed": mixed[0].patient, "other": other.patient, "nobody": uuid4()}
    documents["mixed"] = [one.document for one in mixed]
    return Inhabited(
        patients,
        numbers | others,
        {name: tuple(ids) for name, ids in documents.items()},
        datetime.now(UTC) + timedelta(minutes=5),
    )


async def _said(world: World, found: Inhabited) -> None:
    """Consents and what takes them back; an emergency, a disaster; letters received; requests and answers."""
    every = [str(one) for one in RecordClass]
    for name, classes in {
        "sample 0": every,
        "sample 1": every,
        "sample 11": ["CONDITION", "LAB_RESULT"],
        "sample 17": every,
        "mixed": ["CONDITION", "DRUG_ALLERGY", "PRESCRIPTION"],
    }.items():
        await _says(world, found, name, _GRANT, to=HOSPITAL, classes=classes, until=_LONG)
    await _says(world, found, "sample 2", _GRANT, to=HOSPITAL, classes=["CONDITION"], until=_LONG)
    await _says(world, found, "sample 2", _WITHDRAW, to=HOSPITAL)
    await _says(world, found, "sample 1", _DENY, to=CLINIC, classes=["INFECTION"])
    denial = (await _says(world, found, "sample 3", _DENY, to=None))["denyConsent"]
    await _says(world, found, "sample 3", _LIFT, denial=denial)
    await _says(world, found, "sample 0", _APPOINT)
    await _says(world, found, "mixed", _LETTER, to=CLINIC, letter=str(found.documents["mixed"][2]))
    for letter in found.documents["mixed"][:2]:
        await _says(world, found, "mixed", _LETTER, to=HOSPITAL, letter=str(letter))
    await world.data(CLINIC_SYSTEM, CANCEL)
    await world.data(OPERATOR, _LINK, her=str(found.patients["mixed"]), other=str(found.patients["other"]))

    emergency = (await declared(world, DOCTOR, by_id(found.patients["sample 2"])))["id"]
    await world.data(DOCTOR, WIDEN, patient=by_id(found.patients["sample 2"]), emergency=emergency)
    await declared(world, DOCTOR, by_id(found.patients["sample 3"]))
    over = (await declared(world, DOCTOR, by_id(found.patients["sample 1"])))["id"]
    await world.data(DOCTOR, END, patient=by_id(found.patients["sample 1"]), emergency=over)
    await world.data(OPERATOR, OPEN_WINDOW, towns=[TOWN], until=_LONG)

    world.project()
    await world.data(DOCTOR, RECEIVE, id=str(found.documents["mixed"][0]))
    asked = {"kind": "CORRECTION", "words": "日付が違います"}
    for number, about in enumerate([{"facility": CLINIC}, {"facility": CLINIC}, {"facility": HOSPITAL}]):
        request = (await _says(world, found, "mixed", REQUEST, about=about, **asked))["requestCorrection"]
        if number == 0:
            her = by_id(found.patients["mixed"])
            await world.data(CLINIC_ADMIN, ANSWER, patient=her, request=request, words="直しました")
        elif number == 2:
            await _says(world, found, "mixed", TAKE_BACK, request=request)
    await _says(world, found, "mixed", REQUEST, about={"facility": CLINIC}, **asked | {"kind": "STOP_USE"})


async def _says(world: World, found: Inhabited, name: str, document: str, **more: Any) -> dict[str, Any]:
    her = found.patients[name]
    return await world.data(herself(her), document, patient=by_id(her), **more)


async def _looked(world: World, found: Inhabited) -> None:
    """By who may and by who may not; and an auditor at that."""
    for caller, purpose in (
        (DOCTOR, "TREAT"),
        (DOCTOR, "BTG"),
        (DOCTOR, "DISASTER"),
        (PHARMACIST, "TREAT"),
        (AOBADAI_DOCTOR, "TREAT"),
        (STRANGER, "TREAT"),
    ):
        for patient in found.patients.values():
            await world.ask(caller, _LOOK, patient=by_id(patient), purpose=purpose)
    for patient in found.patients.values():
        await world.ask(herself(patient), _OWN)
    world.project()
    reviews = (await world.data(ADMIN, "{ accessReviews { nodes { id } } }"))["accessReviews"]["nodes"]
    await world.data(ADMIN, _CLOSE, review=reviews[0]["id"])
    await world.data(AUDITOR, "query Trail { accessTrail { totalCount } }")


async def _set_aside(world: World) -> None:
    """A generation waits and differs from the live one, one has only begun, a patient's event cannot be applied."""
    for name in ("facilities", "referrals"):
        await world.data(OPERATOR, _REBUILD, name=name)
    listed = PROJECTIONS["facilities"]
    waiting = rebuild(world.connection, an_engine(), listed, promote_if_equal=False).generation
    world.connection.execute(f"UPDATE {listed.schema(waiting)}.facility SET municipality = '99999'".encode())
    world.project()
    world.connection.execute(
        """INSERT INTO projection_quarantine (name, generation, patient_id, part, pos, event_id, topic, step, fault)
           SELECT 'access_reviews', p.live, %s, 0, 1, %s, 'bundle-registered', 'fold', 'ValueError'
           FROM projection p WHERE p.name = 'access_reviews'""",
        (uuid4(), uuid4()),
    )
