"""Over a real socket, bodies and documents: what is no request is refused in our words, and never a fault."""

import re

import pytest

from edge_examples import BY_KEY, TRAIL, Served, refused
from examples import NUMBER
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES
from tsuzuri.domain.vocabulary import Role

MEGABYTE = 1024 * 1024


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
