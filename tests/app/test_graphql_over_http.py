"""Over a real socket: methods, media types and statuses of /graphql, as the draft "GraphQL over HTTP" has them."""

import json

import httpx
import pytest

from edge_examples import EVENTS, Served, progress_of, refused
from tsuzuri.app.media_types import JSON, RESPONSE_JSON
from tsuzuri.domain.vocabulary import Role

NAMED = "query Which($never: Boolean = false) { __typename again: __typename @include(if: $never) }"


def asked(served: Served, method: str = "POST", **more: object) -> httpx.Response:
    bearer = served.bearer(Role.OPERATOR)
    headers = bearer | more.pop("headers", {})  # type: ignore[operator]
    return served.client.request(method, "/graphql", headers=headers, **more)  # type: ignore[arg-type]


def test_a_query_may_come_by_get(served: Served) -> None:
    whole = {"query": NAMED, "variables": '{"never": true}', "operationName": "Which", "extensions": "{}"}

    for params in ({"query": "{ __typename }"}, whole, whole | {"operationName": ""}):
        answer = asked(served, "GET", params=params)
        assert (answer.status_code, answer.json()["data"]["__typename"]) == (200, "Query")
    assert answer.json()["data"]["again"] == "Query"


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
def test_a_mutation_by_get_is_refused_before_it_runs(served: Served, accept: str) -> None:
    pause = 'mutation { pauseProjection(name: "record_index") { name } }'

    answer = asked(served, "GET", params={"query": pause}, headers={"Accept": accept})

    assert refused(answer, 405) == "BAD_METHOD"
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    standing = asked(served, json={"query": "{ projections { paused } }"}).json()["data"]["projections"]
    assert not any(projection["paused"] for projection in standing)


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=%FF",
        "query=%7B__typename%7D&query=%7B__typename%7D",
        "query=%7B__typename%7D&variables=1",
        "query=%7B__typename%7D&variables=%7B%22a%22%3A1%2C%22a%22%3A2%7D",
        "query=%7B__typename%7D&extensions=[]",
        "&".join(f"x{n}=1" for n in range(100)),
    ],
)
def test_a_query_string_that_is_no_request_is_refused(served: Served, query_string: str) -> None:
    answer = served.client.get(f"/graphql?{query_string}", headers=served.bearer(Role.OPERATOR))

    assert refused(answer, 400) == "BAD_BODY"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused_whoever_asks(served: Served, method: str) -> None:
    answer = served.client.request(method, "/graphql")

    assert refused(answer, 405) == "BAD_METHOD"
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_what_a_form_of_another_site_could_send_is_not_read(served: Served, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    answer = asked(served, content=b'{"query": "{ __typename }"}', headers=headers)

    assert refused(answer, 415) == "BAD_BODY"


def test_nobody_is_told_more_than_to_identify_herself(served: Served) -> None:
    for headers in ({}, {"Content-Type": "text/plain"}, {"Accept": "image/png"}):
        answer = served.client.post("/graphql", headers=headers, content=b"[")
        assert refused(answer, 401) == "UNAUTHENTICATED"


def test_a_client_that_takes_none_of_our_answers_is_told_so(served: Served) -> None:
    answer = asked(served, json={"query": "{ __typename }"}, headers={"Accept": "text/html"})

    assert refused(answer, 406) == "BAD_ACCEPT"


NOT_RUN = {
    "no document": {"query": "{"},
    "an unknown field": {"query": "{ nothing }"},
    "an unknown operation": {"query": NAMED, "operationName": "Other"},
    "a variable of another type": {"query": NAMED, "variables": {"never": 3}},
}


@pytest.mark.parametrize("request_", NOT_RUN.values(), ids=NOT_RUN)
def test_what_did_not_run_has_status_400_where_the_media_type_says_that_it_is_graphql(
    served: Served, request_: dict[str, object]
) -> None:
    plain = asked(served, json=request_, headers={"Accept": JSON})
    response = asked(served, json=request_, headers={"Accept": RESPONSE_JSON})

    assert refused(plain) == refused(response, 400)
    assert "data" not in plain.json() and "data" not in response.json()
    assert plain.headers["content-type"] == f"{JSON}; charset=utf-8"
    assert response.headers["content-type"] == f"{RESPONSE_JSON}; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_what_ran_and_met_a_refusal_is_an_answer_of_status_200(served: Served) -> None:
    forbidden = {"query": "{ me { consents { facility { number } } } }"}

    answer = asked(served, json=forbidden, headers={"Accept": RESPONSE_JSON})

    assert refused(answer) == "FORBIDDEN"
    assert answer.json()["data"] == {"me": None}


def test_what_may_be_left_out_may_be_null(served: Served) -> None:
    nothing = {"variables": None, "operationName": None, "extensions": None}

    answer = asked(served, json={"query": "{ __typename }"} | nothing)

    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("name", ["variables", "extensions", "operationName", "query"])
@pytest.mark.parametrize("value", [0, False, ["array"], 1.5])
def test_what_is_there_has_its_type(served: Served, name: str, value: object) -> None:
    answer = asked(served, json={"query": "{ __typename }", name: value})

    assert refused(answer, 400) == "BAD_BODY"


def test_a_name_given_twice_is_refused_by_post_as_by_get(served: Served) -> None:
    body = b'{"query": "{ __typename }", "query": "{ projections { name } }"}'

    assert refused(asked(served, content=body, headers={"Content-Type": JSON}), 400) == "BAD_BODY"


def test_a_subscription_may_be_asked_for_by_get(served: Served) -> None:
    params = {"query": progress_of("horoscope")["query"]}

    answer = asked(served, "GET", params=params, headers=EVENTS)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "UNKNOWN_PROJECTION" in answer.text


def test_a_body_after_the_expectation_of_one_is_read(served: Served) -> None:
    body = json.dumps({"query": "{ __typename }"}).encode()

    answer = served.says(
        ["POST /graphql HTTP/1.1", f"Content-Length: {len(body)}", "Expect: 100-continue"], body
    )

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
