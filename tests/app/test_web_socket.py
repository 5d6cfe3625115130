"""graphql-transport-ws over a real socket: what is told, each way in which it ends, and who gets in."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from edge_examples import Json, Served, progress_of
from examples import CLINIC, HOSPITAL, NUMBER, a_bundle
from socket_examples import PATIENCE_SECONDS, PROTOCOL, Client, client
from tsuzuri.app import server
from tsuzuri.app.open_streams import OpenStreams
from tsuzuri.app.tokens import development_token
from tsuzuri.app.web_socket import SocketLimits
from tsuzuri.domain.vocabulary import Role

PROGRESS = progress_of("record_index")["query"]
CHANGED = f"""subscription {{ recordChanged(patient: {{ insuredPerson: "{NUMBER}" }}) {{ __typename
  ... on RecordChanged {{ position }} ... on AccessRefused {{ reason }} }} }}"""
WITHDRAW = """mutation ($number: String!, $facility: String!) {
  withdrawConsent(patient: {insuredPerson: $number}, facility: $facility) }"""
ORIGIN = "https://viewer.example"


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    return {"TSUZURI_ORIGINS": ORIGIN}


@pytest.fixture(scope="module", autouse=True)
def little_patience() -> Iterator[None]:
    limits = partial(SocketLimits, init_seconds=2.0, keep_alive_seconds=0.5, subscriptions_max=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "SocketLimits", limits)
        patch.setattr(server, "OpenStreams", partial(OpenStreams, sockets_max=2))
        yield


def bearer(served: Served, role: Role = Role.OPERATOR, person: str = "somebody", seconds: int = 600) -> str:
    facility = HOSPITAL if role is Role.CLINICIAN else CLINIC if role is Role.SYSTEM else None
    token = development_token(
        served.settings, role=role, person=person, facility=facility, lifetime_seconds=seconds
    )
    return f"Bearer {token}"


@pytest.fixture
def operator(served: Served) -> Iterator[Client]:
    with client(served.port) as opened:
        opened.init(bearer(served))
        yield opened


# --- what is told


def test_an_operator_watches_and_ends_it_and_the_id_is_free_again(operator: Client) -> None:
    for _ in range(2):
        operator.ask("one", PROGRESS)
        told = operator.hear()
        assert (told["id"], told["type"]) == ("one", "next")
        assert told["payload"]["data"]["projectionProgress"]["state"] == "LIVE"
        operator.say(id="one", type="complete")


def test_the_token_may_come_with_the_request_that_opens_the_socket(served: Served) -> None:
    with client(served.port, Authorization=bearer(served)) as opened:
        opened.init()
        opened.ask("one", PROGRESS)

        assert opened.hear()["type"] == "next"


def test_what_fails_once_it_began_is_told_and_completed(operator: Client) -> None:
    operator.ask("x", progress_of("horoscope")["query"])

    told, end = operator.hear(), operator.hear()

    assert told["payload"]["errors"][0]["extensions"]["code"] == "UNKNOWN_PROJECTION"
    assert end == {"id": "x", "type": "complete"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("subscription { nothing }", "GRAPHQL_INVALID"),
        ("subscription {", "GRAPHQL_INVALID"),
        ("{ projections { name } }", "POST_NEEDED"),
        ('mutation { takeEmergencyRight(right: "x") }', "POST_NEEDED"),
    ],
)
def test_what_cannot_run_here_is_told_as_an_error_and_the_socket_stays(
    operator: Client, document: str, code: str
) -> None:
    operator.ask("x", document)

    told = operator.hear()

    assert (told["id"], told["type"]) == ("x", "error")
    assert told["payload"][0]["extensions"]["code"] == code
    operator.ask("x", PROGRESS)
    assert operator.hear()["type"] == "next"


def test_a_subscription_too_many_is_refused_alone(operator: Client) -> None:
    for number in range(4):
        operator.ask(str(number), PROGRESS)

    heard = [operator.hear() for _ in range(4)]

    (refused,) = [told for told in heard if told["type"] == "error"]
    assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"


def test_a_ping_is_answered_before_and_after_who_one_is(served: Served) -> None:
    with client(served.port) as opened:
        opened.say(type="ping")
        assert opened.hear() == {"type": "pong"}
        opened.init(bearer(served))
        opened.say(type="ping", payload={"at": 1})
        assert opened.hear() == {"type": "pong"}


# --- each way in which it ends


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",), ("soap", "wamp")])
def test_another_protocol_is_refused(served: Served, protocols: tuple[str, ...]) -> None:
    with client(served.port, protocols=protocols) as opened:
        assert opened.closed()[0] == 4406


def test_of_several_protocols_the_one_is_chosen(served: Served) -> None:
    with client(served.port, protocols=("graphql-ws", PROTOCOL)) as opened:
        opened.init(bearer(served))

        assert opened.socket.subprotocol == PROTOCOL


def test_who_says_nothing_is_not_waited_for(served: Served) -> None:
    with client(served.port) as opened:
        assert opened.closed() == (4408, "Connection initialisation timeout")


def test_who_asks_before_saying_who_she_is_is_not_heard(served: Served) -> None:
    with client(served.port, Authorization=bearer(served)) as opened:
        opened.ask("one", PROGRESS)

        assert opened.closed()[0] == 4401


@pytest.mark.parametrize("given", [None, "Bearer nonsense", "Basic dTpw", "Bearer", "Bearer ä", 7])
def test_every_broken_token_gets_one_answer(served: Served, given: object) -> None:
    with client(served.port) as opened:
        opened.say(type="connection_init", payload={"authorization": given})

        code, reason = opened.closed()

    if given in (7, "Bearer ä"):
        assert code == 4400
    else:
        assert (code, reason) == (4403, "a valid bearer token is needed")


def test_saying_it_twice_ends_it(served: Served, operator: Client) -> None:
    operator.say(type="connection_init", payload={"authorization": bearer(served)})

    assert operator.closed() == (4429, "Too many initialisation requests")


def test_an_id_that_is_in_use_ends_it(operator: Client) -> None:
    operator.ask("one", PROGRESS)
    operator.ask("one", PROGRESS)

    assert operator.closed() == (4409, "Subscriber for one already exists")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        "null",
        "nonsense",
        "[" * 50_000,
        "{}",
        '{"type":"next"}',
        '{"type":"start","id":"1"}',
        '{"type":"subscribe","payload":{"query":"{ x }"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{ x }"}}',
        '{"type":"subscribe","id":7,"payload":{"query":"{ x }"}}',
        '{"type":"subscribe","id":"1"}',
        '{"type":"subscribe","id":"1","payload":{"query":1}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{ x }","variables":[]}}',
        '{"type":"complete"}',
        '{"type":"ping"}\x00',
    ],
)
def test_what_is_no_message_ends_it(operator: Client, message: str) -> None:
    operator.socket.send(message)

    assert operator.closed()[0] == 4400


def test_bytes_and_what_is_too_large_end_it(served: Served) -> None:
    for message, code in ((b'{"type":"ping"}', 1003), ('{"type":"ping"}'.ljust(64 * 1024 + 1), 1009)):
        with client(served.port) as opened:
            opened.socket.send(message)
            assert opened.closed()[0] == code


def test_who_talks_without_end_is_not_listened_to(operator: Client) -> None:
    with suppress(ConnectionClosed):
        for _ in range(1_000):
            operator.socket.send('{"type":"pong"}')

    assert operator.closed()[0] == 1008


def test_who_does_not_answer_is_left(served: Served) -> None:
    with client(served.port) as opened:
        opened.init(bearer(served))
        heard = []
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                heard.append(opened.socket.recv(timeout=PATIENCE_SECONDS))

    assert set(heard) == {'{"type":"ping"}'}
    assert ended.value.rcvd is not None and ended.value.rcvd.code == 1001


def test_a_caller_has_so_many_sockets_and_another_her_own(served: Served) -> None:
    with client(served.port) as first, client(served.port) as second, client(served.port) as third:
        first.init(bearer(served))
        second.init(bearer(served))
        third.say(type="connection_init", payload={"authorization": bearer(served)})
        assert third.closed()[0] == 1008
        with client(served.port) as another:
            another.init(bearer(served, person="somebody else"))


# --- who gets in


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ORIGIN + ".evil.example", ORIGIN + ":8"])
def test_a_page_from_elsewhere_opens_no_socket(served: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, client(served.port, origin=origin):
        pass

    assert refused.value.response.status_code == 403


def test_a_page_that_is_named_does(served: Served) -> None:
    with client(served.port, origin=ORIGIN) as opened:
        opened.init(bearer(served))


# --- while it stands open


def test_a_token_that_expires_ends_it_whatever_is_told(served: Served) -> None:
    with client(served.port) as opened:
        opened.init(bearer(served, seconds=2))
        opened.ask("one", PROGRESS)
        assert opened.hear()["type"] == "next"

        assert opened.closed() == (4401, "Unauthorized: a valid bearer token is needed")


def test_a_doctor_is_told_of_a_change_and_refused_when_the_consent_is_withdrawn(
    served: Served, record: Json
) -> None:
    with client(served.port) as opened:
        opened.init(bearer(served, Role.CLINICIAN))
        opened.ask("her", CHANGED)
        assert told(opened)["__typename"] == "RecordChanged"

        changed = a_bundle(local_id="changed", timestamp="2026-11-22T10:00:00+09:00")
        assert served.send(changed.replace(b'"P-1"', b'"P-0"'), "/bundles").status_code == 201
        assert told(opened)["__typename"] == "RecordChanged"

        withdrawn = served.client.post(
            "/graphql",
            headers=served.bearer(Role.SYSTEM, HOSPITAL),
            json={"query": WITHDRAW, "variables": {"number": NUMBER, "facility": HOSPITAL}},
        )
        assert "errors" not in withdrawn.json()
        assert told(opened) == {"__typename": "AccessRefused", "reason": "NOT_AVAILABLE"}
        assert opened.hear() == {"id": "her", "type": "complete"}


def told(opened: Client) -> Json:
    heard: Json = opened.hear()["payload"]["data"]["recordChanged"]
    return heard
