"""Over a real socket, under the guide's rules: what keeps a Bundle out is told by the rule's id, on either way in."""

import json
from collections.abc import Iterator

import httpx
import orjson
import pytest
from psycopg import Connection

from edge_examples import Json, Served, refused
from rule_bundles import collection
from rule_resources import INSTITUTION, allergy, condition, institution, of
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES
from tsuzuri.domain.vocabulary import Role

REGISTER = "mutation ($bundle: String!) { registerBundle(bundle: $bundle) { outcome } }"


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    return {"TSUZURI_RULES": "clins-1.10"}


@pytest.fixture
def log(database: str) -> Iterator[Connection[tuple[int]]]:
    with Connection.connect(database, autocommit=True) as connection:
        yield connection


def elsewhere(number: str) -> Json:
    """A diagnosis of an institution with this number."""
    found = condition()
    found["extension"][0] = institution(number)
    return collection(found)


def of_one_url() -> Json:
    bundle = collection(condition(), condition())
    bundle["entry"][2]["fullUrl"] = bundle["entry"][1]["fullUrl"]
    return bundle


def large(size: int) -> bytes:
    """A good Bundle of so many bytes: what makes it large is blanks."""
    body = orjson.dumps(collection())
    return body + b" " * (size - len(body))


REJECTED = {
    "mixed types": (collection(condition(), allergy()), "T0002", "Bundle.entry[2].resource"),
    "a fullUrl twice": (of_one_url(), "T0003", "Bundle.entry[2].fullUrl"),
    "an identifier with eleven digits": (
        of(collection(), identifier=collection()["identifier"] | {"value": f"{INSTITUTION}1^2026^a-1"}),
        "R2152",
        "Bundle.identifier.value",
    ),
    "an institution of eleven digits": (
        elsewhere(f"{INSTITUTION}1"),
        "R1021",
        "Bundle.entry[1].resource.extension[0].valueIdentifier.value",
    ),
}


def told(answer: Json, rule: str) -> Json:
    """What is told of that rule; it is an error, and says how to mend it in both languages."""
    (found,) = (one for one in answer["errors"][0]["extensions"]["broken"] if one["rule"] == rule)
    assert found["severity"] == "error"
    assert found["message"]["en"] and found["fix"]["ja"]
    return dict(found)


def posted(served: Served, body: bytes) -> httpx.Response:
    return served.client.post("/bundles", headers=served.bearer(Role.SYSTEM, INSTITUTION), content=body)


def registered(served: Served, body: str) -> httpx.Response:
    asked = {"query": REGISTER, "variables": {"bundle": body}}
    return served.client.post("/graphql", headers=served.bearer(Role.SYSTEM, INSTITUTION), json=asked)


def documents(log: Connection[tuple[int]]) -> int:
    row = log.execute("SELECT count(*) FROM event WHERE topic = 'bundle-registered'").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(("bundle", "rule", "place"), REJECTED.values(), ids=REJECTED)
def test_a_broken_rule_keeps_a_bundle_out_by_either_way_and_is_named(
    served: Served, log: Connection[tuple[int]], bundle: Json, rule: str, place: str
) -> None:
    before = documents(log)

    over_http = posted(served, orjson.dumps(bundle))
    over_graphql = registered(served, json.dumps(bundle))

    assert refused(over_http, 422) == refused(over_graphql) == "BUNDLE_REJECTED"
    assert place in told(over_http.json(), rule)["paths"]
    assert told(over_http.json(), rule) == told(over_graphql.json(), rule)
    assert documents(log) == before


@pytest.mark.parametrize("over", [1, 2, 1024 * 1024])
def test_a_bundle_of_more_than_10_mb_is_kept_out_by_its_rule_however_far_it_is_read(
    served: Served, log: Connection[tuple[int]], over: int
) -> None:
    before = documents(log)

    answer = posted(served, large(SIZE_MAX_BYTES + over))

    assert answer.status_code == (422 if over == 1 else 413)
    assert refused(answer, answer.status_code) == ("BUNDLE_REJECTED" if over == 1 else "BODY_TOO_LARGE")
    assert told(answer.json(), "T0001")["paths"] == ["Bundle"]
    assert documents(log) == before


def test_a_graphql_request_of_that_size_is_not_read_at_all(served: Served) -> None:
    answer = registered(served, large(SIZE_MAX_BYTES + 1).decode())

    assert refused(answer, 413) == "BODY_TOO_LARGE"


def test_one_of_just_10_mb_is_taken(served: Served, log: Connection[tuple[int]]) -> None:
    before = documents(log)

    answer = posted(served, large(SIZE_MAX_BYTES))

    assert (answer.status_code, answer.json()["outcome"]) == (201, "REGISTERED"), answer.text[:300]
    assert documents(log) == before + 1
