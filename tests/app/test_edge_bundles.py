"""Over a real socket, what POST /bundles answers, what no cache may keep, and whether the server is well."""

import json
import re
import threading
import time

import httpx
import pytest
import uvicorn
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from edge_examples import RECORD, Json, Served, refused
from examples import CLINIC, HOSPITAL, NUMBER, a_bundle
from tsuzuri.app.looks import LOOK_SECONDS
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings
from tsuzuri.domain.vocabulary import Role

NAME = "カナリア 花子"


# --- POST /bundles


def posted(served: Served, bundle: bytes, role: Role = Role.SYSTEM, facility: str = CLINIC) -> httpx.Response:
    return served.client.post("/bundles", headers=served.bearer(role, facility), content=bundle)


def test_a_bundle_is_registered_once_replaced_by_other_bytes_and_never_brought_back(served: Served) -> None:
    first = a_bundle(local_id="outcomes", number="00012345:さしす:1:01")
    second = first.replace(b"2026-11-20T10:00:00", b"2026-11-20T11:00:00")

    answers = [posted(served, bundle) for bundle in (first, first, second, first)]

    assert [(answer.status_code, answer.json()["outcome"]) for answer in answers] == [
        (201, "REGISTERED"),
        (200, "UNCHANGED"),
        (200, "REPLACED"),
        (200, "SUPERSEDED"),
    ]
    assert len({answer.json()["document"] for answer in answers}) == 1
    assert answers[0].json() | {"document": ""} == {
        "outcome": "REGISTERED",
        "document": "",
        "kind": "CONDITIONS",
        "entries": 1,
        "warnings": [],
    }


REJECTED = {
    "a NUL in her name": (a_bundle(name=f"{NAME}\0"), "Bundle.entry[0].resource.name[0].text: "),
    "no number": (
        a_bundle(name=NAME).replace(b"JP_Insurance_memberID", b"Unknown").replace(b"urn:oid", b"urn:odd"),
        "Bundle.entry[0].resource.identifier: ",
    ),
    "her number misspelt": (
        a_bundle(name=NAME, number=f"1234:{NAME}:1:01"),
        "Bundle.entry[0].resource.identifier[1].value: ",
    ),
    "cut off": (a_bundle(name=NAME)[:-40], "line 1 column "),
    "no Bundle": (json.dumps({"resourceType": "Patient", "name": [{"text": NAME}]}).encode(), "Bundle: "),
    "no JSON": (NAME.encode(), "line 1 column 1: "),
}


@pytest.mark.parametrize(("bundle", "place"), REJECTED.values(), ids=REJECTED)
def test_a_rejection_names_place_and_reason_and_never_the_patient(
    served: Served, bundle: bytes, place: str
) -> None:
    answer = posted(served, bundle)

    assert refused(answer, 422) == "BUNDLE_REJECTED"
    told = answer.json()["errors"][0]["message"]
    assert told.startswith(place) and len(told) > len(place) + 10
    assert not set(NAME.split()) & set(re.split(r"\W+", told))


def test_the_bundle_of_another_facility_is_not_taken(served: Served) -> None:
    bundle = a_bundle(name=NAME, local_id="not-yours")

    answer = posted(served, bundle, facility=HOSPITAL)

    assert refused(answer, 403) == "FORBIDDEN"
    assert NAME not in answer.text
    assert posted(served, bundle).json()["outcome"] == "REGISTERED"  # it had left nothing behind


@pytest.mark.parametrize(
    "role", [Role.CLINICIAN, Role.PHARMACIST, Role.FACILITY_ADMIN, Role.AUDITOR, Role.OPERATOR]
)
def test_only_a_facilitys_own_system_registers(served: Served, role: Role) -> None:
    assert refused(posted(served, a_bundle(local_id="by-hand"), role), 403) == "FORBIDDEN"


# --- what every answer carries, and whether we are well


def test_no_answer_about_a_patient_is_kept_by_a_cache(served: Served, record: Json) -> None:
    answers = [
        served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=1),
        served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=0),
        posted(served, a_bundle(local_id="record-0")),
    ]

    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_ready_means_that_the_database_answers_and_nothing_is_behind(served: Served, record: Json) -> None:
    answer = served.client.get("/readyz")

    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "failed": [], "behind": []},
    )


def test_a_server_whose_database_has_gone_is_alive_and_not_ready(
    settings: Settings, dsn: str, server_dsn: str
) -> None:
    server = uvicorn.Server(
        uvicorn.Config(build_server(settings, dsn), host="127.0.0.1", port=0, log_level="error")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            assert client.get("/readyz").status_code == 200
            with Connection.connect(server_dsn, autocommit=True) as operator:
                name = str(conninfo_to_dict(dsn)["dbname"])
                operator.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name)))
                operator.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
                )
            alive, soon = client.get("/livez"), client.get("/readyz")
            time.sleep(LOOK_SECONDS)
            ready = client.get("/readyz")
        assert (alive.status_code, alive.json()) == (200, {"status": "live"})
        assert soon.status_code == 200  # the database is asked once a second, however many ask us
        assert (ready.status_code, ready.json()["failed"]) == (503, ["database"])
    finally:
        server.should_exit = True
        thread.join(30)
