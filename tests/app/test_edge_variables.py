"""Over a real socket, variables: pages, cursors, positions, times and texts that cannot be are refused as such."""

import time

import pytest

from edge_examples import (
    AS_OF,
    BY_KEY,
    CONDITIONS,
    ENTRIES,
    OTHER_NUMBER,
    RECORD,
    SERIES,
    TRAIL,
    Json,
    Served,
    refused,
)
from examples import CLINIC, NUMBER
from tsuzuri.domain.vocabulary import Role


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
