"""A server that listens, what it is asked about two patients' records, and the refusals it may answer with."""

import asyncio
import json
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from examples import CLINIC, HOSPITAL
from token_examples import Post
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.vocabulary import Role

Json = dict[str, Any]

OTHER_NUMBER = "00012345:かきく:188:01"
CONDITIONS = {"20065011": "上腹部痛", "20065012": "頭痛", "20065013": "腰痛"}
DRIVER = re.compile(
    r"psycopg|postgres|column(?! \d)|LIMIT|syntax|relation|constraint|SQLSTATE|codec|Traceback"
)

GRANT = """mutation ($number: String!, $facility: String!) {
  grantConsent(patient: {insuredPerson: $number}, facility: $facility, classes: [CONDITION])
}"""
RECORD = """query ($number: String!, $first: Int!, $after: String) {
  patientRecord(patient: {insuredPerson: $number}) { ... on PatientRecord {
    patient { id } asOf { position }
    entries(first: $first, after: $after) { nodes { name } pageInfo { endCursor hasNextPage } }
    timeline(first: $first) { pageInfo { endCursor } }
  } }
}"""
ENTRIES = """query ($number: String!, $filter: EntryFilter) {
  patientRecord(patient: {insuredPerson: $number}) {
    ... on PatientRecord { entries(filter: $filter) { totalCount } }
  }
}"""
AS_OF = """query ($number: String!, $at: AsOf, $least: String) {
  patientRecord(patient: {insuredPerson: $number}, asOf: $at, minPosition: $least) { __typename }
}"""
BY_KEY = "query ($key: PatientKey!) { patientRecord(patient: $key) { __typename } }"
TRAIL = """query ($filter: TrailFilter, $first: Int, $after: String) {
  accessTrail(filter: $filter, first: $first, after: $after) { totalCount }
}"""
SERIES = """query ($number: String!, $codes: [String!]!) {
  patientRecord(patient: {insuredPerson: $number}) { ... on PatientRecord { labSeries(codes: $codes) { codes } } }
}"""


@dataclass(frozen=True)
class Served:
    """A server that listens, and those who ask it."""

    settings: Settings
    database: str
    port: int
    client: httpx.Client

    def bearer(self, role: Role, facility: str | None = None, patient: UUID | None = None) -> dict[str, str]:
        token = development_token(
            self.settings, role=role, person="somebody", facility=facility, patient=patient
        )
        return {"Authorization": f"Bearer {token}"}

    def ask(self, role: Role, query: str, **variables: Any) -> httpx.Response:
        facility = HOSPITAL if role is Role.CLINICIAN else CLINIC if role is Role.SYSTEM else None
        body = {"query": query, "variables": variables}
        return self.client.post("/graphql", headers=self.bearer(role, facility), json=body)

    def send(self, body: bytes, path: str = "/graphql", **headers: str) -> httpx.Response:
        told = {"Content-Type": "application/json"} | self.bearer(Role.SYSTEM, CLINIC)
        return self.client.post(path, headers=told | headers, content=body)

    def says(self, lines: list[str], body: bytes = b"") -> bytes:
        """The answer to an HTTP request written by hand, as far as it comes before the server hangs up."""
        told = {"Host": "tsuzuri", "Connection": "close", "Content-Type": "application/json"}
        told |= self.bearer(Role.SYSTEM, CLINIC)
        head = [*lines, *(f"{name}: {value}" for name, value in told.items()), "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall("\r\n".join(head).encode("latin-1") + body)
            answer = b""
            try:
                while piece := connection.recv(65_536):
                    answer += piece
            except ConnectionResetError:
                pass  # it hung up on what we were still sending
            return answer


def posting(settings: Settings) -> Post:
    """POST something that is not JSON under an Authorization header. The database is never asked: there is none."""
    server = httpx.ASGITransport(build_server(settings, "host=/nowhere"))

    async def answered(route: str, authorization: bytes | None) -> httpx.Response:
        headers = {b"Content-Type": b"application/json"}
        headers |= {} if authorization is None else {b"Authorization": authorization}
        async with httpx.AsyncClient(transport=server, base_url="http://tsuzuri") as client:
            return await client.post(route, content=b"not JSON", headers=headers)

    return lambda route, authorization: asyncio.run(answered(route, authorization))


EVENTS = {"Accept": "text/event-stream"}


def events(lines: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """What a stream of events tells, as it comes: the kind of each event, and its data."""
    kind = data = ""
    for line in lines:
        name, _, value = line.partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data":
            data = value.strip()
        elif not line and kind:
            yield kind, json.loads(data) if data else None
            kind = data = ""


def progress_of(name: str) -> Json:
    """A request to be told how far a projection has come."""
    return {
        "query": f'subscription {{ projectionProgress(name: "{name}") {{ generation state done total }} }}'
    }


def refused(answer: httpx.Response, status: int = 200) -> str:
    """The code of the first error. No error may be ours, and none may be in the driver's words."""
    assert answer.status_code == status, answer.text
    errors = answer.json()["errors"]
    for error in errors:
        assert error["extensions"]["code"] not in ("INTERNAL", ""), error
        assert not DRIVER.search(error["message"]), error
    code: str = errors[0]["extensions"]["code"]
    return code
