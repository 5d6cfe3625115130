"""A patient's request to a facility, as an event and in a world; who asks, who answers, who has no business with it."""

from typing import Any
from uuid import UUID

from examples import CLINIC, CLINIC_SYSTEM, EVENT, HOSPITAL, PATIENT, a_bundle, a_caller, herself
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import CorrectionRequested, originator
from tsuzuri.domain.vocabulary import CorrectionKind, Role, Stream
from world import World

WORDS = "この病名は別の人のものです"
ADMIN = a_caller(person="admin-arai", role=Role.FACILITY_ADMIN, facility=CLINIC)
OTHER_ADMIN = a_caller(person="admin-baba", role=Role.FACILITY_ADMIN, facility=HOSPITAL)

REQUEST = """mutation($patient: PatientKey!, $kind: CorrectionKind! = CORRECTION, $about: CorrectionSubject!,
  $words: String!) { requestCorrection(patient: $patient, kind: $kind, about: $about, words: $words) }"""
TAKE_BACK = """mutation($patient: PatientKey!, $request: ID!) {
  takeBackCorrectionRequest(patient: $patient, request: $request) }"""
ANSWER = """mutation($patient: PatientKey!, $request: ID!, $outcome: CorrectionOutcome! = ACCEPTED, $words: String) {
  answerCorrection(patient: $patient, request: $request, outcome: $outcome, words: $words) }"""
MINE = """{ me { correctionRequests { nodes { id kind documentId entryId words state waitedDays overdue told
  facility { number } answer { outcome words } } } } }"""
INBOX = """query($state: CorrectionState, $first: Int! = 50, $after: String) {
  correctionRequests(state: $state, first: $first, after: $after) { pageInfo { hasNextPage endCursor }
  nodes { id kind documentId entryId words state waitedDays overdue patient { id name }
  answer { outcome words } } } }"""
OVERDUE = "{ overdueCorrections { nodes { id patientId kind waitedDays facility { number } } } }"


def requested(**changes: Any) -> CorrectionRequested:
    usual: dict[str, Any] = {
        "originator_id": originator(PATIENT, Stream.RECORD),
        "originator_version": 1,
        "event_id": EVENT,
        "patient": PATIENT,
        "facility": CLINIC,
        "kind": CorrectionKind.CORRECTION,
        "words": WORDS,
        "recorded_by": "patient",
    }
    return CorrectionRequested(**usual | changes)


def named(patient: UUID) -> dict[str, Any]:
    return {"id": str(patient)}


async def begun(world: World, **changes: Any) -> UUID:
    """What the clinic registered of her."""
    told = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(**changes))
    world.project()
    return told.patient


async def ask(world: World, patient: UUID, words: str = WORDS, **about: str) -> str:
    """Of the clinic, unless told otherwise; the request's id."""
    asked = {"patient": named(patient), "about": about or {"facility": CLINIC}, "words": words}
    request: str = (await world.data(herself(patient), REQUEST, **asked))["requestCorrection"]
    world.project()
    return request


async def inbox(world: World, caller: Caller = ADMIN, **variables: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await world.data(caller, INBOX, **variables))["correctionRequests"][
        "nodes"
    ]
    return nodes


async def mine(world: World, patient: UUID) -> list[dict[str, Any]]:
    data = await world.data(herself(patient), MINE)
    nodes: list[dict[str, Any]] = data["me"]["correctionRequests"]["nodes"]
    return nodes


async def overdue(world: World, auditor: Caller) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await world.data(auditor, OVERDUE))["overdueCorrections"]["nodes"]
    return nodes


async def refused(world: World, caller: Caller, document: str, **variables: Any) -> tuple[str, str]:
    """The code and the words of the one error."""
    (error,) = (await world.ask(caller, document, **variables))["errors"]
    return error["extensions"]["code"], error["message"]
