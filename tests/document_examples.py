"""A referral in a world: who sends it, who may read it, and what is asked of it."""

import json
from base64 import b64encode
from typing import Any

from examples import HOSPITAL, HOSPITAL_SYSTEM, NUMBER, a_caller
from fhir_examples import FACILITY, INSURED_SYSTEM, OTHER_FACILITY, Json, a_collection, a_patient, a_resource
from rendering_examples import WORDS, a_diagnosis, a_referral, a_section, marked
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import RecordClass, Role
from world import KEY, World

SENDER = a_caller(person="sender", role=Role.SYSTEM, facility=FACILITY)
RESOURCE_IDENTIFIER = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
FILE = "血圧手帳の写し".encode()
DOCUMENT = f"""query Document($id: ID!) {{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
  accessId document(id: $id) {{ html attachments {{ title url }} }} }} }} }}"""
HER_DOCUMENT = "query($id: ID!) { me { record { document(id: $id) { html attachments { title url } } } } }"


def her(**changes: Any) -> Json:
    return a_patient(identifier=[{"system": INSURED_SYSTEM, "value": NUMBER}], **changes)


def diagnosis(name: str, flag: str | None = None, **changes: Any) -> Json:
    """By whichever Bundle it comes, the same name is the same fact."""
    identifier = [{"system": RESOURCE_IDENTIFIER, "value": f"fact-{name}"}]
    return (
        a_diagnosis(name.encode().hex(), name, identifier=identifier)
        | (marked(flag) if flag else {})
        | changes
    )


def referral(
    *diagnoses: Json,
    data: bytes | None = FILE,
    local_id: str = "ref-1",
    recipient: str = HOSPITAL,
    **attachment: Any,
) -> bytes:
    """The diagnoses with words about them, and one attached file; data None: it lies elsewhere."""
    inside = (
        {"data": b64encode(data).decode()} if data is not None else {"url": "https://elsewhere.example/1"}
    )
    content = {"title": "血圧手帳", "contentType": "text/plain", **inside, **attachment}
    file = a_resource("DocumentReference", id="file", content=[{"attachment": content}])
    references = [f"Condition/{one['id']}" for one in diagnoses]
    sections = [
        a_section("910", "Organization/to"),
        a_section("340", *references, words=WORDS),
        a_section("210", "DocumentReference/file"),
    ]
    bundle = a_referral(*diagnoses, file, sections=sections)
    bundle["identifier"]["value"] = f"{FACILITY}^2026^{local_id}"
    return body(bundle).replace(OTHER_FACILITY.encode(), recipient.encode())


def conditions(*diagnoses: Json) -> bytes:
    """The same sender's set of diagnoses, sent by itself."""
    identifier = {"system": "urn:sample", "value": f"{FACILITY}^2026^set"}
    return body(a_collection(*diagnoses, identifier=identifier))


def body(bundle: Json) -> bytes:
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"] = her()
    return json.dumps(bundle, ensure_ascii=False).encode()


async def sent(world: World, bundle: bytes) -> RegisteredBundle:
    """Registered, and in the projections."""
    told = await world.application.register_bundle(SENDER, bundle)
    world.project()
    return told


async def permit(world: World, *classes: RecordClass) -> None:
    """The hospital may see these classes; all of them when none is named."""
    listed = ", ".join(classes or RecordClass)
    await world.data(
        HOSPITAL_SYSTEM,
        f'mutation {{ grantConsent(patient: {KEY}, facility: "{HOSPITAL}", classes: [{listed}]) }}',
    )


async def document(world: World, caller: Caller, told: RegisteredBundle) -> Json | None:
    """What the caller is shown of it."""
    if caller.role is Role.PATIENT:
        found = (await world.data(caller, HER_DOCUMENT, id=str(told.document)))["me"]["record"]
    else:
        found = (await world.data(caller, DOCUMENT, id=str(told.document)))["patientRecord"]
    shown: Json | None = found["document"]
    return shown


async def html(world: World, caller: Caller, told: RegisteredBundle) -> str:
    shown = await document(world, caller, told)
    assert shown is not None
    page: str = shown["html"]
    return page


async def url(world: World, caller: Caller, told: RegisteredBundle) -> str:
    shown = await document(world, caller, told)
    assert shown is not None
    found: str = shown["attachments"][0]["url"]
    return found
