"""What is asked: five queries, each as we and as PostGraphile are asked it, with the variables of many patients."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from bench.reading_data import Installation
from bench.reading_servers import Served, token
from tsuzuri.domain.vocabulary import Role

FOLDER = Path(__file__).with_name("queries")
SINCE = timedelta(days=250)
EXPORTED = 1_000
Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """One query: its documents are `queries/<file>.graphql` and `queries/<file>.postgraphile.graphql`."""

    name: str
    file: str
    role: Role
    marker: str  # stands in every right answer of either server
    long: bool = False  # of the few patients of whom there is much

    @cached_property
    def document(self) -> str:
        return (FOLDER / f"{self.file}.graphql").read_text()

    @cached_property
    def peers_document(self) -> str:
        return (FOLDER / f"{self.file}.postgraphile.graphql").read_text()


QUERIES = {
    "Q1": Query("Q1 timeline page of 50", "timeline", Role.CLINICIAN, "hasNextPage"),
    "Q2": Query("Q2 six classes of 10", "summary", Role.CLINICIAN, "prescriptions"),
    "Q3": Query("Q3 audit page of 100", "trail", Role.AUDITOR, "hasNextPage"),
    "Q4": Query("Q4 one entry", "entry", Role.CLINICIAN, "system"),
    "Q5": Query("Q5 export of 1,000", "export", Role.CLINICIAN, "hasNextPage", long=True),
}
WITH_CURSORS = Query("Q1 with a cursor for each entry", "timeline_cursors", Role.CLINICIAN, "hasNextPage")
PUBLISHED = Query("published summary", "../../app/documents/summary", Role.CLINICIAN, "conditions")


class Asking:
    """What one server is asked over one installation: the bodies, and with what they are sent."""

    def __init__(self, installation: Installation, served: Served, *, peer: bool = False):
        self.installation, self.served, self.peer = installation, served, peer
        self._base = installation.base()

    def authorization(self, query: Query) -> str | None:
        return None if self.peer else f"Bearer {token(self.installation, query.role)}"

    def bodies(self, query: Query) -> list[bytes]:
        """One for each patient, in the order of patients."""
        document = query.peers_document if self.peer else query.document
        return [_body(document, variables) for variables in self._variables(query)]

    def answer(self, query: Query, body: bytes) -> Any:
        """The answer's data. Raises httpx.HTTPError, and AssertionError for one that tells of errors."""
        return self._answers(query, [body])[0]

    def size(self, query: Query, body: bytes) -> int:
        """Of the right answer, in bytes."""
        with self._client(query) as client:
            return len(client.post(self.served.url, content=body).content)

    def _client(self, query: Query) -> httpx.Client:
        authorization = self.authorization(query)
        said = {"Authorization": authorization} if authorization else {}
        return httpx.Client(headers={"Content-Type": "application/json", **said}, timeout=60)

    def _variables(self, query: Query) -> list[Variables]:
        patients = self.installation.patients(long=query.long)
        match query.file:
            case "timeline" | "timeline_cursors":
                return [{"patient": str(one), "since": (self._base - SINCE).isoformat()} for one in patients]
            case PUBLISHED.file:
                return [{"patient": {"id": str(one)}} for one in patients]
            case "entry":
                found = self.installation.entries()
                return [{"patient": str(patient), "entry": str(entry)} for patient, entry in found]
            case "export":
                cursors = self._cursors(patients)
                return [
                    {"patient": str(one), "after": cursor, "first": EXPORTED}
                    for one, cursor in zip(patients, cursors, strict=True)
                ]
            case _:
                return [{"patient": str(one)} for one in patients]

    def _cursors(self, patients: Sequence[UUID]) -> list[str]:
        """Behind the fiftieth entry of each, as this server names the place."""
        query = Query("position", "position", Role.CLINICIAN, "endCursor")
        document = query.peers_document if self.peer else query.document
        answers = self._answers(query, [_body(document, {"patient": str(one)}) for one in patients])
        return [_one(answer, "endCursor") for answer in answers]

    def _answers(self, query: Query, bodies: Sequence[bytes]) -> list[Any]:
        found = []
        with self._client(query) as client:
            for body in bodies:
                response = client.post(self.served.url, content=body)
                answer = response.json()
                assert response.status_code == 200 and "errors" not in answer, (
                    f"{self.served.name}, {query.name}: {answer}"
                )
                found.append(answer["data"])
        return found


def _body(document: str, variables: Variables) -> bytes:
    return json.dumps({"query": document, "variables": dict(variables)}, ensure_ascii=False).encode()


def _one(answer: Any, field: str) -> str:
    """The value of a field that stands once in an answer."""
    (value,) = _values(answer, field)
    return value


def _values(answer: Any, field: str) -> Iterator[str]:
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name == field:
                yield value
            yield from _values(value, field)
