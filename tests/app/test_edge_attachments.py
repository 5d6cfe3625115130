"""GET of an attachment over HTTP: its headers, and one answer for everything that is not to be had."""

import time

import httpx
import pytest

from document_examples import DOCUMENT, FILE, SENDER, diagnosis, referral
from edge_examples import Served, refused
from examples import HOSPITAL, NUMBER
from tsuzuri.domain.vocabulary import Role

GRANT = """mutation ($number: String!, $facility: String!) {
  grantConsent(patient: {insuredPerson: $number}, facility: $facility, classes: [REFERRAL, CONDITION])
}"""


@pytest.fixture(scope="module")
def url(served: Served) -> str:
    """Of the file of a referral that the hospital may see."""
    sender = served.bearer(Role.SYSTEM, SENDER.facility)
    sent = served.client.post("/bundles", headers=sender, content=referral(diagnosis("狭心症")))
    assert sent.status_code == 201, sent.text
    asked = {"query": GRANT, "variables": {"number": NUMBER, "facility": HOSPITAL}}
    hospital = served.bearer(Role.SYSTEM, HOSPITAL)
    assert "errors" not in served.client.post("/graphql", headers=hospital, json=asked).json()
    deadline = time.monotonic() + 30
    while True:
        answer = served.ask(Role.CLINICIAN, DOCUMENT, id=sent.json()["document"]).json()
        if document := answer["data"]["patientRecord"]["document"]:
            found: str = document["attachments"][0]["url"]
            return found
        assert time.monotonic() < deadline, "the projector did not catch up"
        time.sleep(0.05)


def get(
    served: Served, url: str, role: Role = Role.CLINICIAN, facility: str | None = HOSPITAL
) -> httpx.Response:
    return served.client.get(url, headers=served.bearer(role, facility))


def test_the_bytes_leave_as_a_download_that_nothing_keeps_or_guesses_at(served: Served, url: str) -> None:
    answer = get(served, url)

    assert (answer.status_code, answer.content) == (200, FILE)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_without_a_bearer_token_nobody_is_told_anything(served: Served, url: str) -> None:
    assert refused(served.client.get(url), 401) == "UNAUTHENTICATED"
    assert refused(served.client.get(url.partition("?")[0]), 401) == "UNAUTHENTICATED"


def test_refused_unknown_and_tampered_are_answered_alike(served: Served, url: str) -> None:
    path, _, token = url.partition("?token=")
    answers = [
        get(served, url, facility="1310000099"),
        get(served, url, Role.AUDITOR, None),
        get(served, path),
        get(served, f"{path}?token={token[:-4]}AAAA"),
        get(served, f"{path[:-1]}2?token={token}"),
        get(served, f"{path[:-1]}{'9' * 5_000}?token={token}"),
        get(served, f"/documents/00000000-0000-4000-8000-000000000000/attachments/1?token={token}"),
    ]

    assert {refused(answer, 404) for answer in answers} == {"NOT_AVAILABLE"}
    assert len({answer.content for answer in answers}) == 1
    assert len({str({**answer.headers, "date": "", "x-request-id": ""}) for answer in answers}) == 1
