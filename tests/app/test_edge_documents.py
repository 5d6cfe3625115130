"""Over a real socket: a server that lets only trusted documents run."""

from typing import Any

import httpx
import pytest

from edge_examples import RECORD, Json, Served, refused
from examples import HOSPITAL, NUMBER
from tsuzuri.app.trusted_documents import SHIPPED, read_card
from tsuzuri.domain.vocabulary import Role


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    return {"TSUZURI_DOCUMENTS_ONLY": "yes"}


def asked(served: Served, role: Role, facility: str | None = None, **body: Any) -> httpx.Response:
    return served.client.post("/graphql", headers=served.bearer(role, facility), json=body)


def digest(name: str) -> str:
    return f"sha256:{read_card(SHIPPED / f'{name}.json').sha256}"


def test_a_digest_is_enough(served: Served) -> None:
    told: Json = asked(served, Role.OPERATOR, documentId=digest("standings")).json()

    assert "errors" not in told
    assert {one["name"] for one in told["data"]["projections"]} >= {"record_index", "audit_trail"}


def test_so_is_the_digest_that_other_clients_send_and_so_is_the_document(served: Served) -> None:
    persisted = {"version": 1, "sha256Hash": digest("may").removeprefix("sha256:")}
    text = (SHIPPED / "may.graphql").read_text("utf-8")
    key = {"patient": {"insuredPerson": NUMBER}, "purpose": "TREAT"}

    for body in ({"extensions": {"persistedQuery": persisted}}, {"query": text}):
        told: Json = asked(served, Role.CLINICIAN, HOSPITAL, variables=key, **body).json()
        assert told["data"]["patientRecord"]["__typename"] == "AccessRefused"


def test_a_card_is_kept_to(served: Served) -> None:
    assert refused(asked(served, Role.AUDITOR, documentId=digest("standings"))) == "FORBIDDEN"
    key = {"patient": {"insuredPerson": NUMBER}, "purpose": "HOPERAT"}
    may = asked(served, Role.CLINICIAN, HOSPITAL, documentId=digest("may"), variables=key)
    assert refused(may) == "FORBIDDEN"


def test_what_is_not_registered_does_not_run(served: Served) -> None:
    assert refused(served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=1)) == "DOCUMENT_NOT_REGISTERED"
    assert refused(asked(served, Role.CLINICIAN, HOSPITAL, documentId="sha256:0"), 400) == (
        "DOCUMENT_NOT_REGISTERED"
    )
    assert refused(asked(served, Role.CLINICIAN, HOSPITAL, documentId=1), 400) == "BAD_BODY"


def test_but_for_an_operator_of_a_development_server(served: Served) -> None:
    told = served.ask(Role.OPERATOR, "{ projections { name } __schema { queryType { name } } }").json()

    assert "errors" not in told
