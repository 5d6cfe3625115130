"""Over a real socket: whatever is sent, the answer is a refusal in our words, and never a fault or the driver's."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from examples import CLINIC, HOSPITAL, NUMBER, a_bundle
from tsuzuri.app.projector import Projector
from tsuzuri.app.server import READINESS_SECONDS, build_server
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES
from tsuzuri.domain.vocabulary import Role

Json = dict[str, Any]

MEGABYTE = 1024 * 1024
DATABASE = "edge"
OTHER_NUMBER = "00012345:かきく:188:01"
NAME = "カナリア 花子"
CONDITIONS = {"20065011": "上腹部痛", "20065012": "頭痛", "20065013": "腰痛"}
DRIVER = re.compile(
    r"psycopg|postgres|column(?! \d)|LIMIT|syntax|relation|constraint|SQLSTATE|codec|Traceback"
)


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
        return self.client.post(path, headers=self.bearer(Role.SYSTEM, CLINIC) | headers, content=body)

    def says(self, lines: list[str], body: bytes = b"") -> bytes:
        """The answer to an HTTP request written by hand, as far as it comes before the server hangs up."""
        told = {"Host": "tsuzuri", "Connection": "close"} | self.bearer(Role.SYSTEM, CLINIC)
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


@pytest.fixture(scope="module")
def database(server_dsn: str, template: str) -> Iterator[str]:
    """One database for the file: what is refused leaves nothing behind."""
    with Connection.connect(server_dsn, autocommit=True) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(DATABASE), Identifier(template))
        )
        yield make_conninfo(server_dsn, dbname=DATABASE)
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(DATABASE)))


@pytest.fixture(scope="module")
def served(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = read_settings(
        {"TSUZURI_HOME": str(tmp_path_factory.mktemp("home")), "TSUZURI_MODE": "development"}
    )
    server = uvicorn.Server(
        uvicorn.Config(build_server(settings, database), host="127.0.0.1", port=0, log_level="error")
    )
    worker = Projector(database)
    threads = [threading.Thread(target=server.run), threading.Thread(target=worker.run)]
    for thread in threads:
        thread.start()
    while not server.started:
        assert threads[0].is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield Served(settings, database, port, client)
    server.should_exit = True
    worker.stopping.set()
    for thread in threads:
        thread.join(20)


@pytest.fixture(scope="module")
def record(served: Served) -> Json:
    """Two patients with three conditions each, whom the hospital may see; and what it sees of the first."""
    for n, number in enumerate((NUMBER, OTHER_NUMBER)):
        bundle = a_bundle(number=number, local_id=f"record-{n}", conditions=CONDITIONS)
        assert served.send(bundle.replace(b'"P-1"', b'"P-%d"' % n), "/bundles").status_code == 201
        granted = served.client.post(
            "/graphql",
            headers=served.bearer(Role.SYSTEM, HOSPITAL),
            json={"query": GRANT, "variables": {"number": number, "facility": HOSPITAL}},
        )
        assert "errors" not in granted.json()
    deadline = time.monotonic() + 30
    while True:
        data = served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=1).json()["data"]
        found: Json = data["patientRecord"]
        if found["entries"]["nodes"]:
            return found
        assert time.monotonic() < deadline, "the projector did not catch up"
        time.sleep(0.05)


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


def refused(answer: httpx.Response, status: int = 200) -> str:
    """The code of the first error. No error may be ours, and none may be in the driver's words."""
    assert answer.status_code == status, answer.text
    errors = answer.json()["errors"]
    for error in errors:
        assert error["extensions"]["code"] not in ("INTERNAL", ""), error
        assert not DRIVER.search(error["message"]), error
    code: str = errors[0]["extensions"]["code"]
    return code


# --- bodies

BODIES: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"query { __typename }",
    "null": b"null",
    "1": b"1",
    "a text": b'"{ __typename }"',
    "a list": b"[]",
    "a batch": b'[{"query": "{ __typename }"}]',
    "an object without query": b"{}",
    "query null": b'{"query": null}',
    "query a number": b'{"query": 1}',
    "variables a list": b'{"query": "{ __typename }", "variables": []}',
    "operationName a number": b'{"query": "{ __typename }", "operationName": 1}',
    "a hundred thousand brackets": b"[" * 100_000 + b"]" * 100_000,
    "a hundred thousand brackets inside": b'{"query": "{ __typename }", "variables": {"a": '
    + b"[" * 100_000
    + b"]" * 100_000
    + b"}}",
    "200,000 digits": b"9" * 200_000,
    "200,000 digits inside": b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 200_000 + b"}}",
    "1e400": b'{"query": "{ __typename }", "variables": {"a": 1e400}}',
    "NaN": b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    "not UTF-8": b'{"query": "{ __typename } # \xff"}',
    "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"query": "{ __typename }"}',
    "half a character": b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}',
    "half a character in the query": b'{"query": "{ __typename } # \\udfff"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_no_graphql_request_is_a_bad_body(served: Served, body: bytes) -> None:
    assert refused(served.send(body), 400) == "BAD_BODY"


def test_compressed_bodies_are_not_unpacked(served: Served) -> None:
    for path in ("/graphql", "/bundles"):
        answer = served.send(b"\x1f\x8b", path, **{"Content-Encoding": "gzip"})
        assert refused(answer, 415) == "BAD_BODY"


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/graphql", 256 * 1024 + 1),
        ("/graphql", MEGABYTE),
        ("/graphql", 20 * MEGABYTE),
        ("/bundles", int(10.5 * MEGABYTE)),
    ],
)
def test_a_body_that_is_too_large_is_told_so(served: Served, path: str, size: int) -> None:
    assert refused(served.send(b"9" * size, path), 413) == "BODY_TOO_LARGE"


def test_the_largest_body_that_may_be_is_read(served: Served) -> None:
    assert refused(served.send(b" " * 256 * 1024), 400) == "BAD_BODY"
    assert refused(served.send(b" " * SIZE_MAX_BYTES, "/bundles"), 422) == "BUNDLE_REJECTED"


@pytest.mark.parametrize(("path", "size"), [("/graphql", 20 * MEGABYTE), ("/bundles", 11_010_048)])
def test_the_answer_comes_before_the_body_when_its_length_says_enough(
    served: Served, path: str, size: int
) -> None:
    answer = served.says([f"POST {path} HTTP/1.1", f"Content-Length: {size}"])

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_in_pieces_is_read_no_further_than_the_limit(served: Served) -> None:
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"  # and never the last, empty piece

    answer = served.says(["POST /graphql HTTP/1.1", "Transfer-Encoding: chunked"], piece * 5)

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("length", ["many", "-1", "+5", "1e3", "0x10", "5, 6", "5 6", "9" * 5_000])
def test_a_content_length_that_is_no_number_is_a_bad_request(served: Served, length: str) -> None:
    answer = served.says(["POST /graphql HTTP/1.1", f"Content-Length: {length}"], b"{}{}{}")

    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer[:200]


def test_two_lengths_for_one_body_are_a_bad_request(served: Served) -> None:
    both = ["POST /graphql HTTP/1.1", "Content-Length: 2", "Transfer-Encoding: chunked"]

    assert served.says(both, b"0\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_megabyte_of_token_gets_nowhere(served: Served) -> None:
    answer = served.says(["POST /graphql HTTP/1.1", "X-Token: " + "A" * MEGABYTE, "Content-Length: 2"], b"{}")

    assert not answer or re.match(rb"HTTP/1.1 4\d\d ", answer)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_answered(served: Served, method: str) -> None:
    query = {"query": "{ __typename }"}

    answer = served.client.request(method, "/graphql", params=query, headers=served.bearer(Role.AUDITOR))

    assert answer.status_code == 405


# --- variables


@pytest.mark.parametrize("first", [-1, 0, 201, -(2**31), 2**31 - 1])
def test_a_page_has_one_to_two_hundred_rows(served: Served, record: Json, first: int) -> None:
    assert refused(served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=first)) == "BAD_INPUT"
    assert refused(served.ask(Role.AUDITOR, TRAIL, first=first)) == "BAD_INPUT"


@pytest.mark.parametrize("first", [2**31, 2**63, 1.5, "1", True, None], ids=str)
def test_a_page_size_is_a_number(served: Served, first: object) -> None:
    assert refused(served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=first)) == "GRAPHQL_INVALID"


def test_a_cursor_goes_on_where_its_list_stopped(served: Served, record: Json) -> None:
    after = record["entries"]["pageInfo"]["endCursor"]

    answer = served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=3, after=after)

    seen = record["entries"]["nodes"] + answer.json()["data"]["patientRecord"]["entries"]["nodes"]
    assert sorted(node["name"] for node in seen) == sorted(CONDITIONS.values())


@pytest.mark.parametrize(
    "after", ["", "x", "=", "\0", "日本", "AAAA", "A" * 100_000], ids=lambda a: repr(a)[:12]
)
def test_a_cursor_that_nobody_gave_out_is_refused(served: Served, record: Json, after: str) -> None:
    asked = served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=1, after=after)

    assert refused(asked) == "BAD_CURSOR"
    assert refused(served.ask(Role.AUDITOR, TRAIL, after=after)) == "BAD_CURSOR"


def test_a_cursor_with_one_letter_changed_is_refused(served: Served, record: Json) -> None:
    cursor = record["entries"]["pageInfo"]["endCursor"]
    changed = cursor[:9] + ("A" if cursor[9] != "A" else "B") + cursor[10:]

    asked = served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=1, after=changed)

    assert refused(asked) == "BAD_CURSOR"


def test_a_cursor_of_another_patient_another_list_or_a_position_is_refused(
    served: Served, record: Json
) -> None:
    own = record["entries"]["pageInfo"]["endCursor"]
    for number, after in (
        (OTHER_NUMBER, own),
        (NUMBER, record["timeline"]["pageInfo"]["endCursor"]),
        (NUMBER, record["asOf"]["position"]),
    ):
        asked = served.ask(Role.CLINICIAN, RECORD, number=number, first=1, after=after)
        assert refused(asked) == "BAD_CURSOR"
    assert refused(served.ask(Role.AUDITOR, TRAIL, after=own)) == "BAD_CURSOR"


def test_a_position_is_the_patients_own(served: Served, record: Json) -> None:
    position = record["asOf"]["position"]

    for number, given in ((NUMBER, "x"), (NUMBER, "\0"), (NUMBER, "日本"), (OTHER_NUMBER, position)):
        for variables in ({"at": {"position": given}}, {"least": given}):
            asked = served.ask(Role.CLINICIAN, AS_OF, number=number, **variables)
            assert refused(asked) == "BAD_POSITION"

    own = served.ask(Role.CLINICIAN, AS_OF, number=NUMBER, at={"position": position}, least=position)
    assert own.json() == {"data": {"patientRecord": {"__typename": "PatientRecord"}}}


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-22T09:00:00",
        "2026-11-22",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_time_has_a_zone_and_lies_within_reason(served: Served, record: Json, at: str) -> None:
    assert refused(served.ask(Role.CLINICIAN, AS_OF, number=NUMBER, at={"at": at})) == "BAD_INPUT"
    for edge in ("from", "to"):
        asked = served.ask(Role.CLINICIAN, ENTRIES, number=NUMBER, filter={edge: at})
        assert refused(asked) == "BAD_INPUT"
        assert refused(served.ask(Role.AUDITOR, TRAIL, filter={edge: at})) == "BAD_INPUT"


@pytest.mark.parametrize("at", ["", "x", "\0", "2026-02-30T00:00:00Z", "10000-01-01T00:00:00Z", 1], ids=repr)
def test_what_is_no_time_is_refused_before_anything_runs(served: Served, at: object) -> None:
    assert refused(served.ask(Role.CLINICIAN, AS_OF, number=NUMBER, at={"at": at})) == "GRAPHQL_INVALID"


NUL = {
    "codes": (Role.CLINICIAN, ENTRIES, {"number": NUMBER, "filter": {"codes": ["\0"]}}),
    "facilities": (Role.CLINICIAN, ENTRIES, {"number": NUMBER, "filter": {"facilities": ["x\0"]}}),
    "results": (Role.CLINICIAN, SERIES, {"number": NUMBER, "codes": ["\0"]}),
    "insured person": (Role.CLINICIAN, BY_KEY, {"key": {"insuredPerson": "\0"}}),
    "id": (Role.CLINICIAN, BY_KEY, {"key": {"id": "\0"}}),
    "local facility": (Role.CLINICIAN, BY_KEY, {"key": {"local": {"facility": "\0", "number": "1"}}}),
    "trail person": (Role.AUDITOR, TRAIL, {"filter": {"person": "\0"}}),
    "trail facility": (Role.AUDITOR, TRAIL, {"filter": {"facility": "\0"}}),
    "trail outcome": (Role.AUDITOR, TRAIL, {"filter": {"outcome": "\0"}}),
    "trail patient": (Role.AUDITOR, TRAIL, {"filter": {"patient": "\0"}}),
    "access": (Role.AUDITOR, "query ($id: ID!) { access(id: $id) { id } }", {"id": "\0"}),
}


@pytest.mark.parametrize(("role", "query", "variables"), NUL.values(), ids=NUL)
def test_a_nul_never_reaches_the_database(
    served: Served, record: Json, role: Role, query: str, variables: Json
) -> None:
    assert refused(served.ask(role, query, **variables)) == "BAD_INPUT"


def test_a_nul_that_nobody_asked_for_does_not_stop_the_audit_trail(served: Served, record: Json) -> None:
    answer = served.ask(Role.CLINICIAN, BY_KEY, key={"insuredPerson": NUMBER}, unused="\0")
    assert "errors" not in answer.json()

    deadline = time.monotonic() + 20
    asked = "{ projections { name lagEvents } }"
    while any(p["lagEvents"] for p in served.ask(Role.OPERATOR, asked).json()["data"]["projections"]):
        assert time.monotonic() < deadline, "a projection stopped"
        time.sleep(0.05)


def test_words_of_sql_are_only_words(served: Served, record: Json) -> None:
    words = ["'; DROP TABLE event; --", "%s", "%(a)s", "{}", "\\", "$1"]

    answer = served.ask(Role.CLINICIAN, ENTRIES, number=NUMBER, filter={"codes": words})

    assert answer.json() == {"data": {"patientRecord": {"entries": {"totalCount": 0}}}}


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ({"id": ""}, "BAD_INPUT"),
        ({"id": "hanako"}, "BAD_INPUT"),
        ({"insuredPerson": ""}, "BAD_INPUT"),
        ({"insuredPerson": "1234"}, "BAD_INPUT"),
        ({"local": {"facility": CLINIC, "number": ""}}, "BAD_INPUT"),
        ({"id": None}, "GRAPHQL_INVALID"),
        ({}, "GRAPHQL_INVALID"),
        ({"id": "x", "insuredPerson": NUMBER}, "GRAPHQL_INVALID"),
    ],
    ids=str,
)
def test_a_patient_is_named_in_exactly_one_way(served: Served, key: Json, code: str) -> None:
    answer = served.ask(Role.CLINICIAN, BY_KEY, key=key)

    assert refused(answer) == code
    assert NUMBER not in answer.text


# --- documents


@pytest.mark.parametrize("query", ["{ patientRecrd { x } }", "{ facilities { nodez { number } } }"])
def test_an_unknown_field_brings_no_suggestion(served: Served, query: str) -> None:
    answer = served.ask(Role.CLINICIAN, query)

    assert refused(answer) == "GRAPHQL_INVALID"
    assert "Did you mean" not in answer.text


def test_the_schema_may_be_looked_at_in_development(served: Served) -> None:
    answer = served.ask(Role.CLINICIAN, "{ __schema { queryType { name } } }")

    assert answer.json()["data"]["__schema"]["queryType"] == {"name": "Query"}


TOO_MUCH = {
    "aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(16)) + "}", "16 aliases found"),
    "depth": ("{ me { record" + " { a" * 12 + " }" * 12 + " } }", "maximum operation depth of 12"),
    "tokens": ("{" + " __typename" * 2_000 + "}", "more than 2000 tokens"),
    "brackets": ("{ a(x: " + "[" * 900 + "]" * 900 + ") }", "nested too deeply"),
}


@pytest.mark.parametrize(("query", "reason"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_document_that_asks_for_too_much_is_refused_before_it_runs(
    served: Served, query: str, reason: str
) -> None:
    answer = served.ask(Role.CLINICIAN, query)

    assert refused(answer) == "GRAPHQL_INVALID"
    assert any(reason in error["message"] for error in answer.json()["errors"])


@pytest.mark.parametrize(
    "query",
    [
        "   ",
        "{",
        "\0",
        "{ __typename }\0",
        "subscription { x }",
        "fragment F on Query { ...F } { ...F }",
        "{ __typename @nope }",
        '{ __typename @skip(if: "x") }',
        '{ facilities(after: "\\ud800") { nodes { number } } }',
        "{ facilities(first: 99999999999999999999) { nodes { number } } }",
        "query ($x: Strange) { __typename }",
    ],
)
def test_a_document_that_does_not_fit_the_schema_is_told_so(served: Served, query: str) -> None:
    assert refused(served.ask(Role.CLINICIAN, query)) == "GRAPHQL_INVALID"


@pytest.mark.parametrize("query", ["query A { __typename }", "fragment F on Query { __typename }"])
def test_an_operation_that_the_document_does_not_hold_is_told_so(served: Served, query: str) -> None:
    asked = {"query": query, "operationName": "B"}

    answer = served.client.post("/graphql", headers=served.bearer(Role.AUDITOR), json=asked)

    assert refused(answer) == "GRAPHQL_INVALID"


def test_a_field_of_another_role_is_forbidden(served: Served) -> None:
    assert refused(served.ask(Role.CLINICIAN, TRAIL)) == "FORBIDDEN"
    assert refused(served.ask(Role.OPERATOR, BY_KEY, key={"insuredPerson": NUMBER})) == "FORBIDDEN"


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

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "behind": []})


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
            time.sleep(READINESS_SECONDS)
            ready = client.get("/readyz")
        assert (alive.status_code, alive.json()) == (200, {"status": "live"})
        assert soon.status_code == 200  # the database is asked once a second, however many ask us
        assert (ready.status_code, ready.json()) == (503, {"status": "database unavailable"})
    finally:
        server.should_exit = True
        thread.join(30)
