"""A referral on its way, in a world: who sends it, whom it is for, who else would like to read it."""

from datetime import datetime, timedelta
from typing import Any

from document_examples import SENDER, diagnosis, referral
from examples import CLINIC, DOCTOR, a_caller
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import RecordClass, Role
from world import KEY, World

THIRD = a_caller(person="dr-sakai", role=Role.CLINICIAN, facility=CLINIC)
THIRD_SYSTEM = a_caller(person="clinic-system", role=Role.SYSTEM, facility=CLINIC)
A_MICROSECOND = timedelta(microseconds=1)
WEEK = timedelta(days=7)

INBOX = """query($state: ReferralState) { referralInbox(state: $state) { pageInfo { hasNextPage } nodes {
  id state value receivedAt visibleUntil sender { number } patient { id name } document { html
  entries { nodes { name recordClass } } attachments { title url } } } } }"""
OUTBOX = """{ referralOutbox { nodes { id state system value recipient { number } receivedAt visibleUntil
  erasedAt } } }"""
READ = f"""query($id: ID!) {{ patientRecord(patient: {KEY}) {{ __typename ... on PatientRecord {{
  grounds {{ basis recipient }} document(id: $id) {{ title }} documents {{ totalCount }}
  entries {{ nodes {{ name recordClass }} }} }} }} }}"""
RECEIVE = f"mutation($id: ID!) {{ receiveReferral(patient: {KEY}, document: $id) }}"
LETTER = f"""mutation($id: ID!, $to: String!) {{ grantConsent(patient: {KEY}, facility: $to, classes: [REFERRAL],
  document: $id) }}"""
TAKE_BACK = (
    f"mutation($to: String!) {{ withdrawConsent(patient: {KEY}, facility: $to, classes: [REFERRAL]) }}"
)
ORAL_TAKEN_BACK = (
    f"mutation($id: ID!, $to: String!) {{ withdrawConsent(patient: {KEY}, facility: $to, document: $id) }}"
)


async def sent(world: World, *names: str, oral: bool = False, **changes: Any) -> RegisteredBundle:
    body = referral(*map(diagnosis, names or ("狭心症",)), **changes)
    told = await world.application.register_bundle(SENDER, body, oral_consent=oral)
    world.project()
    return told


async def consent(world: World, system: Caller, *classes: RecordClass) -> None:
    """At the card reader of the facility whose system this is."""
    listed = ", ".join(classes or RecordClass)
    asked = f'mutation {{ grantConsent(patient: {KEY}, facility: "{system.facility}", classes: [{listed}]) }}'
    await world.data(system, asked)
    world.project()


async def inbox(world: World, caller: Caller = DOCTOR, **variables: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await world.data(caller, INBOX, **variables))["referralInbox"]["nodes"]
    return nodes


async def standing(world: World) -> dict[str, Any]:
    """The one referral, as its sender sees it."""
    world.project()
    (one,) = (await world.data(SENDER, OUTBOX))["referralOutbox"]["nodes"]
    found: dict[str, Any] = one
    return found


async def refused(world: World, caller: Caller, document: str, **variables: Any) -> str:
    (error,) = (await world.ask(caller, document, **variables))["errors"]
    code: str = error["extensions"]["code"]
    return code


def at(world: World, moment: datetime | str) -> None:
    """What the service takes for now."""
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    object.__setattr__(world.application.services, "now", lambda: when)
