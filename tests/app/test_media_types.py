"""What a client sends and takes: Content-Type and Accept, with their parameters."""

import pytest

from tsuzuri.app.media_types import JSON, RESPONSE_JSON, accepted, is_json

BOTH = f"{RESPONSE_JSON}, {JSON}"


@pytest.mark.parametrize(
    ("accept", "json", "events"),
    [
        ("*/*", JSON, False),
        ("application/*", JSON, False),
        (JSON, JSON, False),
        (RESPONSE_JSON, RESPONSE_JSON, False),
        (BOTH, RESPONSE_JSON, False),
        (f"{JSON}, {RESPONSE_JSON}", JSON, False),
        (f"{RESPONSE_JSON};q=0.5, {JSON}", JSON, False),
        (f"{RESPONSE_JSON}, */*;q=0.1", RESPONSE_JSON, False),
        (f"*/*, {RESPONSE_JSON}", RESPONSE_JSON, False),
        (f"{JSON};q=0, */*", RESPONSE_JSON, False),
        (f"{JSON.upper()}; charset=utf-8", JSON, False),
        ("text/event-stream", None, True),
        ("text/event-stream, application/json;q=0.5", JSON, True),
        ("text/event-stream;q=0, */*", JSON, False),
        ("text/*", None, False),
        ("text/html, image/*", None, False),
        ("*/*;q=0", None, False),
        (f"{JSON};q=much", None, False),
        (",", None, False),
    ],
)
def test_the_answer_has_the_media_type_that_the_client_likes_best(
    accept: str, json: str | None, events: bool
) -> None:
    told = accepted([(b"host", b"tsuzuri"), (b"accept", accept.encode())])

    assert (told.json, told.events) == (json, events)


def test_a_client_that_says_nothing_or_too_much_gets_json() -> None:
    assert accepted([]).json == accepted([(b"accept", b"")]).json == JSON
    assert accepted([(b"accept", b"text/html," * 1_000)]).json == JSON


def test_accept_may_come_in_several_lines() -> None:
    assert accepted([(b"accept", b"text/html"), (b"accept", RESPONSE_JSON.encode())]).json == RESPONSE_JSON


@pytest.mark.parametrize("sent", ["application/json", 'Application/JSON; Charset="UTF-8"', f"{JSON};x=y"])
def test_json_in_utf_8_is_taken(sent: str) -> None:
    assert is_json([(b"content-type", sent.encode())])


@pytest.mark.parametrize(
    "sent",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/graphql",
        "text/plain; application/json",
        "text/plain, application/json",
        "",
    ],
)
def test_what_a_page_of_another_origin_could_send_unasked_is_not(sent: str) -> None:
    assert not is_json([(b"content-type", sent.encode())])


def test_no_content_type_and_two_of_them_are_not_taken_either() -> None:
    assert not is_json([])
    assert not is_json([(b"content-type", b"application/json"), (b"content-type", b"text/plain")])
