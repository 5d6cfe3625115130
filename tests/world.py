"""One application over an empty database, told as a story: shared by the tests of reading."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from strawberry import Schema

from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, NUMBER, a_bundle
from projection_examples import BUNDLE_SYSTEM, bundle_value, catch_up
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.compile.planning import Plans
from tsuzuri.graphql.context import Application
from tsuzuri.graphql.execution import execute, refused_answer, subscribe
from tsuzuri.graphql.preparing import DocumentRefused, prepare
from tsuzuri.graphql.schema import build_schema

SCHEMA = build_schema()
PLANS = Plans(SCHEMA)
KEY = f'{{ insuredPerson: "{NUMBER}" }}'
CONSENT = f'mutation {{ grantConsent(patient: {KEY}, facility: "{HOSPITAL}", classes: [CONDITION]) }}'
WITHDRAW = f'mutation {{ withdrawConsent(patient: {KEY}, facility: "{HOSPITAL}") }}'
CANCEL = f"""mutation {{ cancelBundle(patient: {KEY}, kind: CONDITIONS, reason: "wrong patient", identifier: {{
  system: "{BUNDLE_SYSTEM}", value: "{bundle_value("set-1")}" }}) }}"""
"""What the clinic sends of the Bundle that `World.register` brought in."""
ENTRIES = f"""query Entries {{ patientRecord(patient: {KEY}) {{ __typename
  ... on PatientRecord {{ accessId incomplete patient {{ id name }} asOf {{ position }}
    entries {{ totalCount nodes {{ id name flags }} }} summary {{ conditions {{ name flags }} }}
    timeline {{ nodes {{ __typename ... on Entry {{ name }} ... on Document {{ title }} }} }} }}
  ... on AccessRefused {{ accessId reason }} }} }}"""
ME = """{ me { record { entries { totalCount nodes { name } } }
  summary { conditions { name } } accesses { totalCount } } }"""


async def watched(
    schema: Schema, application: Application, caller: Caller, document: str, **variables: Any
) -> AsyncGenerator[dict[str, Any], None]:
    """The responses of a subscription."""
    try:
        prepared = prepare(schema, document)
    except DocumentRefused as refused:
        yield orjson.loads(refused_answer(refused).body)
        return
    async with aclosing(subscribe(schema, application, caller, prepared, variables)) as answers:
        async for answer in answers:
            yield orjson.loads(answer.body)


class World:
    """One application over an empty database, and a projector that runs when it is told to."""

    def __init__(self, application: TsuzuriApplication, connection: Connection[Any]):
        self.application = application
        self.connection = connection

    async def ask(self, caller: Caller, document: str, /, **variables: Any) -> dict[str, Any]:
        return await execute(SCHEMA, self.application, caller, document, variables, plans=PLANS)

    async def data(self, caller: Caller, document: str, /, **variables: Any) -> dict[str, Any]:
        answer = await self.ask(caller, document, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def watch(self, caller: Caller, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        return watched(SCHEMA, self.application, caller, document, **variables)

    async def register(self, **changes: Any) -> None:
        await self.application.register_bundle(CLINIC_SYSTEM, a_bundle(**changes))

    def project(self) -> None:
        catch_up(self.connection)

    async def record(self, caller: Caller = DOCTOR) -> dict[str, Any]:
        record: dict[str, Any] = (await self.data(caller, ENTRIES))["patientRecord"]
        return record

    def events(self, topic: str) -> int:
        row = self.connection.execute("SELECT count(*) FROM event WHERE topic = %s", (topic,)).fetchone()
        assert row is not None
        return int(row[0])


Tell = Callable[[Callable[[World], Awaitable[None]]], None]


def tell_in(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    """Runs a story in a world of its own."""

    def run(story: Callable[[World], Awaitable[None]]) -> None:
        async def inside() -> None:
            async with open_application() as application:
                await story(World(application, connection))

        asyncio.run(inside())

    return run


def own_consent(patient: UUID) -> str:
    """What the patient herself grants, for years."""
    return f"""mutation {{ grantConsent(patient: {{ id: "{patient}" }}, facility: "{HOSPITAL}",
        classes: [CONDITION], until: "2090-01-01T00:00:00+09:00") }}"""


def names(record: dict[str, Any]) -> list[str]:
    return [node["name"] for node in record["entries"]["nodes"]]


def record_id(record: dict[str, Any]) -> UUID:
    return UUID(record["patient"]["id"])
