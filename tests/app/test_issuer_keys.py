"""The issuer's keys change while we run, and the issuer may be away: who is known then, and how often it is asked."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey

from issuer_examples import CONFIGURATION, KEYS, Clock, Issuer, a_key, an_issuer
from token_examples import AUDIENCE, CLAIMS, HEADER, ORIGIN, by, made
from tsuzuri.app.access_tokens import TokenPolicy
from tsuzuri.app.discovery import Discovery
from tsuzuri.app.identity import Identity, Presented
from tsuzuri.app.issuer_keys import FETCH_SECONDS_MIN, IssuerKeys
from tsuzuri.app.proofs_seen import ProofsSeen
from tsuzuri.app.settings import read_settings
from tsuzuri.app.signed import TokenRefused
from tsuzuri.app.token_keys import KeysUnavailable

TRUST_SECONDS = 24 * 3_600
OLD, NEW = a_key("old"), a_key("new")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with an_issuer() as one:
        one.publish(OLD)
        yield one


class World:
    """One process that asks an issuer, by a clock that the test moves."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer, self.clock = issuer, Clock()
        fetch = Discovery(f"{issuer.address}{CONFIGURATION}", issuer.address).fetch
        self.keys = IssuerKeys(fetch, TRUST_SECONDS, self.clock)
        policy = TokenPolicy.of(read_settings({"TSUZURI_MODE": "development", "TSUZURI_AUDIENCE": AUDIENCE}))
        self.identity = Identity(self.keys, replace(policy, issuer=issuer.address), ProofsSeen(), ORIGIN)

    async def knows(self, key: ECKey, **claims: Any) -> bool:
        """Whether who bears a token of this key is recognised."""
        try:
            await self.identity.caller(Presented.bearer(self.issuer.token(key, **claims)))
        except TokenRefused:
            return False
        return True

    async def pass_(self, seconds: float) -> None:
        """Time, in steps in which the keys are looked after as they are while the server runs."""
        for _ in range(int(seconds // 15)):
            self.clock.at += 15
            await self.keys.look_again()


def tell(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


# --- keys that change


def test_a_key_that_the_issuer_publishes_counts(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)

        assert await world.knows(OLD)
        assert not await world.knows(NEW)

    tell(story())


def test_a_new_key_counts_within_a_minute_and_at_once_when_the_last_look_was_a_while_ago(
    issuer: Issuer,
) -> None:
    async def story() -> None:
        world = World(issuer)
        assert await world.knows(OLD)
        issuer.publish(OLD, NEW)

        assert not await world.knows(NEW)  # asked a moment ago
        world.clock.at += FETCH_SECONDS_MIN
        assert await world.knows(NEW)
        assert issuer.times_asked == 2

    tell(story())


def test_a_new_key_is_found_by_itself(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)
        await world.keys.look_again()
        issuer.publish(OLD, NEW)
        await world.pass_(60)
        asked = issuer.times_asked

        assert await world.knows(NEW)
        assert issuer.times_asked == asked

    tell(story())


def test_a_key_that_is_withdrawn_counts_no_longer_than_a_minute_even_for_a_token_that_was_known(
    issuer: Issuer,
) -> None:
    async def story() -> None:
        world = World(issuer)
        assert await world.knows(OLD)
        issuer.publish(NEW)
        assert await world.knows(OLD)

        await world.pass_(60)

        assert not await world.knows(OLD)
        assert await world.knows(NEW)

    tell(story())


def test_another_key_under_the_same_name_takes_the_place_of_the_first(issuer: Issuer) -> None:
    async def story() -> None:
        world, another = World(issuer), a_key("old")
        assert await world.knows(OLD)
        issuer.publish(another)
        await world.pass_(60)

        assert not await world.knows(OLD)
        assert await world.knows(another)

    tell(story())


def test_an_issuer_that_trusts_none_of_its_keys_is_believed(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)
        assert await world.knows(OLD)
        issuer.publish()
        await world.pass_(60)

        assert not await world.knows(OLD)

    tell(story())


# --- how often it is asked


def test_ten_thousand_unknown_keys_have_the_issuer_asked_once_in_thirty_seconds(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)
        assert await world.knows(OLD)
        begin, asked = world.clock.at, issuer.times_asked

        for number in range(10_000):
            world.clock.at = begin + number * 120 / 10_000  # two minutes of it
            with pytest.raises(TokenRefused):
                await world.keys.key(f"nobodys-{number}")

        assert issuer.times_asked - asked == 3  # after 30, 60 and 90 seconds
        assert await world.knows(OLD)

    tell(story())


def test_many_who_come_at_once_wait_for_one_answer(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)

        known = await asyncio.gather(*(world.knows(OLD, jti=f"session-{n}") for n in range(50)))

        assert all(known) and issuer.times_asked == 1

    tell(story())


def test_who_goes_away_while_it_is_asked_takes_the_answer_from_nobody(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)
        gone = asyncio.create_task(world.knows(OLD))
        waits = asyncio.create_task(world.knows(OLD, jti="session-2"))
        await asyncio.sleep(0)
        gone.cancel()

        assert await waits

    tell(story())


def test_a_token_names_no_address_that_is_asked(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)
        thief = a_key("thiefs")
        for name in ("jku", "x5u"):
            issuer.answers["/theirs"] = {"keys": [thief.as_dict(private=False)]}
            header = HEADER | {"kid": "thiefs", name: f"{issuer.address}/theirs"}
            forged = made(CLAIMS | {"iss": issuer.address}, header, by(thief))
            with pytest.raises(TokenRefused):
                await world.identity.caller(Presented.bearer(forged))

        assert set(issuer.asked) == {CONFIGURATION, KEYS}

    tell(story())


# --- an issuer that is away


def test_while_the_issuer_is_away_its_last_keys_serve_on(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)
        assert await world.knows(OLD)
        issuer.fail()

        await world.pass_(600)
        assert await world.knows(OLD)
        assert await world.knows(OLD, jti="session-2")  # and who was not known before
        assert not await world.knows(NEW)

        issuer.publish(NEW)
        await world.pass_(60)
        assert await world.knows(NEW)
        assert not await world.knows(OLD)

    tell(story())


def test_keys_that_could_not_be_looked_at_for_too_long_count_no_more(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)
        assert await world.knows(OLD)
        issuer.fail()

        world.clock.at += TRUST_SECONDS
        assert await world.knows(OLD)
        world.clock.at += 1
        with pytest.raises(KeysUnavailable):
            await world.knows(OLD)

        issuer.publish(OLD)
        await world.pass_(60)
        assert await world.knows(OLD)

    tell(story())


def test_an_issuer_that_is_away_at_the_beginning_is_asked_again(issuer: Issuer) -> None:
    async def story() -> None:
        world = World(issuer)
        issuer.fail()
        async with world.keys.looked_after():
            with pytest.raises(KeysUnavailable):
                await world.knows(OLD)
            issuer.publish(OLD)
            await world.pass_(30)
            assert await world.knows(OLD)

    tell(story())


def test_an_issuer_that_hangs_holds_nobody_up_when_the_process_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}{CONFIGURATION}"
        story = (
            "import asyncio; from tsuzuri.app import discovery; discovery.WAIT_SECONDS = 600\n"
            "async def ask():\n"
            f"    asked = asyncio.create_task(discovery.Discovery({address!r}, 'x').fetch())\n"
            "    await asyncio.sleep(0.1); asked.cancel()\n"
            "asyncio.run(ask()); print('ended')\n"
        )
        asked = subprocess.Popen([sys.executable, "-c", story], stdout=subprocess.PIPE, text=True)
        connection, _ = silent.accept()

        with connection:  # it is still waiting for us when it has ended
            assert asked.communicate(timeout=30)[0] == "ended\n"
            assert asked.returncode == 0


# --- answers that are not taken: what was known before goes on

FAR = {"Location": "http://127.0.0.1:1/elsewhere"}
WRONG: dict[str, dict[str, Any]] = {
    "another issuer's configuration": {CONFIGURATION: {"issuer": "https://evil.example", "jwks_uri": "x"}},
    "no configuration": {CONFIGURATION: (404, {}, b"")},
    "configuration that is a list": {CONFIGURATION: []},
    "configuration that is not JSON": {CONFIGURATION: (200, {}, b"{")},
    "configuration elsewhere": {CONFIGURATION: (302, FAR, b"")},
    "keys elsewhere": {KEYS: (302, FAR, b"")},
    "keys elsewhere for good": {KEYS: (308, FAR, b"")},
    "keys that are no JSON": {KEYS: (200, {}, b"<html>")},
    "keys that are a list": {KEYS: []},
    "keys that are text": {KEYS: {"keys": "none"}},
    "keys nested deeply": {KEYS: (200, {}, b"[" * 100_000)},
    "megabytes of keys": {KEYS: (200, {}, b" " * 2_000_000 + b'{"keys": []}')},
    "a hundred and one keys": {KEYS: {"keys": [a_key("k").as_dict(private=False)] * 101}},
    "two keys of one name": {KEYS: {"keys": [a_key("k").as_dict(private=False) for _ in range(2)]}},
    "only secrets": {KEYS: {"keys": [{"kty": "oct", "k": "AAAA", "kid": "old"}]}},
    "only a short key": {KEYS: {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "old"}]}},
    "a key for encryption": {KEYS: {"keys": [OLD.as_dict(private=False, use="enc")]}},
    "success without content": {KEYS: (204, {}, b"")},
}


@pytest.mark.parametrize("answers", WRONG.values(), ids=WRONG)
def test_a_wrong_answer_changes_nothing(issuer: Issuer, answers: dict[str, Any]) -> None:
    async def story() -> None:
        world = World(issuer)
        assert await world.knows(OLD)
        issuer.answers |= answers
        await world.pass_(60)

        assert await world.knows(OLD)
        assert world.keys.age_seconds >= 60
        assert "/elsewhere" not in issuer.asked

    tell(story())


@pytest.mark.parametrize(
    "jwks_uri", ["http://keys.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "", None, 7]
)
def test_keys_are_fetched_over_tls_or_from_this_machine(issuer: Issuer, jwks_uri: object) -> None:
    async def story() -> None:
        world = World(issuer)
        issuer.answers[CONFIGURATION] = {"issuer": issuer.address, "jwks_uri": jwks_uri}

        with pytest.raises(KeysUnavailable):
            await world.knows(OLD)
        assert issuer.times_asked == 0

    tell(story())
