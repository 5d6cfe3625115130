"""The issuer's keys in a file that an operator replaces while we run, or breaks."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from structlog.testing import capture_logs

from issuer_examples import Clock, a_key
from token_examples import AUDIENCE, CLAIMS, HEADER, ISSUER, ORIGIN, by, made
from tsuzuri.app import key_set_file
from tsuzuri.app.access_tokens import TokenPolicy
from tsuzuri.app.identity import Identity, Presented, identity_of
from tsuzuri.app.issuer_keys import Pace
from tsuzuri.app.key_set_file import FILES_PACE, KeySetFile, keys_of_file
from tsuzuri.app.proofs_seen import ProofsSeen
from tsuzuri.app.settings import read_settings
from tsuzuri.app.signed import TokenRefused
from tsuzuri.app.token_keys import PublicKeys

OLD, NEW = a_key("old"), a_key("new")


class World:
    """One process that reads a file, by a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.file, self.clock = folder / "jwks.json", Clock()
        self.holds(OLD)
        self.keys = keys_of_file(self.file, never=frozenset(), now=self.clock)
        policy = TokenPolicy.of(read_settings({"TSUZURI_MODE": "development", "TSUZURI_AUDIENCE": AUDIENCE}))
        self.identity = Identity(self.keys, replace(policy, issuer=ISSUER), ProofsSeen(), ORIGIN)

    def holds(self, *keys: ECKey) -> None:
        """From now on, as by a rename: nobody sees half of it."""
        self.holds_bytes(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode())

    def holds_bytes(self, raw: bytes) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_bytes(raw)
        beside.replace(self.file)

    async def knows(self, key: ECKey, **claims: Any) -> bool:
        return await known(self.identity, key, **claims)

    async def pass_(self, seconds: float) -> None:
        """Time, in steps in which the file is looked at as it is while the server runs."""
        for _ in range(int(seconds)):
            self.clock.at += 1
            await self.keys.look_again()


async def known(identity: Identity, key: ECKey, **claims: Any) -> bool:
    """Whether who bears a token of this key is recognised."""
    token = made(CLAIMS | claims, HEADER | {"kid": key.kid}, by(key))
    try:
        await identity.caller(Presented.bearer(token))
    except TokenRefused:
        return False
    return True


Story = Callable[[World], Coroutine[Any, Any, None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    return lambda story: asyncio.run(story(World(tmp_path)))


# --- keys that change


def test_a_key_that_is_put_into_the_file_counts_when_a_token_names_it(tell: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        assert await world.knows(OLD) and not await world.knows(NEW)
        world.holds(OLD, NEW)

        assert not await world.knows(NEW)  # looked at a moment ago
        world.clock.at += FILES_PACE.seconds_min
        assert await world.knows(NEW)
        assert await world.knows(OLD)

    tell(story)


def test_a_key_that_is_taken_out_counts_no_longer_even_for_a_token_that_was_known(
    tell: Callable[[Story], None],
) -> None:
    async def story(world: World) -> None:
        assert await world.knows(OLD)
        world.holds(NEW)
        await world.pass_(FILES_PACE.refresh_seconds - 1)
        assert await world.knows(OLD)

        await world.pass_(1)

        assert not await world.knows(OLD)
        assert await world.knows(NEW)

    tell(story)


def test_another_key_under_the_same_name_takes_the_place_of_the_first(tell: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        another = a_key("old")
        assert await world.knows(OLD)
        world.holds(another)
        await world.pass_(FILES_PACE.refresh_seconds)

        assert not await world.knows(OLD)
        assert await world.knows(another)

    tell(story)


def test_the_file_that_the_setting_names_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_set_file, "FILES_PACE", Pace(0.0, 0.0))
    world = World(tmp_path)
    identity = identity_of(
        read_settings(
            {
                "TSUZURI_HOME": str(tmp_path / "home"),
                "TSUZURI_JWKS_FILE": str(world.file),
                "TSUZURI_ISSUER": ISSUER,
                "TSUZURI_PUBLIC_URL": ORIGIN,
                "TSUZURI_TOKEN_MINUTES": "720",
                "TSUZURI_SECOND_FACTOR": "none",
            }
        )
    )

    async def story() -> None:
        assert not await known(identity, NEW)
        world.holds(NEW)
        assert await known(identity, NEW)

    asyncio.run(story())


def test_what_does_not_count_at_the_start_does_not_count_later(tmp_path: Path) -> None:
    world = World(tmp_path)
    keys = keys_of_file(world.file, never=frozenset({NEW.thumbprint()}), now=world.clock)
    world.holds(OLD, NEW)
    world.clock.at += FILES_PACE.refresh_seconds

    with pytest.raises(TokenRefused):
        asyncio.run(keys.key("new"))
    assert asyncio.run(keys.key("old")).thumbprint() == OLD.thumbprint()


# --- how often it is read


class Counting(KeySetFile):
    """Counts how often it is read."""

    times = 0

    def read(self) -> PublicKeys:
        self.times += 1
        return super().read()


def test_ten_thousand_unknown_keys_have_the_file_read_once_in_two_seconds(tmp_path: Path) -> None:
    world = World(tmp_path)
    counting = Counting(world.file, frozenset())
    keys = key_set_file.followed(counting, world.clock)
    begin, read = world.clock.at, counting.times

    async def story() -> None:
        for number in range(10_000):
            world.clock.at = begin + number * 10 / 10_000  # ten seconds of it
            with pytest.raises(TokenRefused):
                await keys.key(f"nobodys-{number}")

    asyncio.run(story())

    assert counting.times - read == 4  # after 2, 4, 6 and 8 seconds


# --- a file that is broken in the meantime

BROKEN = {
    "empty": b"",
    "half of it": b'{"keys": [{"kty": "EC", ',
    "no key set": b"[]",
    "a secret": json.dumps({"keys": [{"kty": "oct", "k": "QUFBQQ", "kid": "old"}]}).encode(),
    "two of one name": json.dumps({"keys": [a_key("k").as_dict(private=False) for _ in range(2)]}).encode(),
    "not text": b"\xff\xfe",
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_while_the_file_is_broken_its_last_keys_serve_on_and_the_log_says_so(
    tell: Callable[[Story], None], raw: bytes
) -> None:
    async def story(world: World) -> None:
        assert await world.knows(OLD)
        world.holds_bytes(raw)
        with capture_logs() as lines:
            await world.pass_(FILES_PACE.refresh_seconds)
        await world.pass_(600)

        assert await world.knows(OLD)
        assert await world.knows(OLD, jti="session-2")  # and who was not known before
        assert not await world.knows(NEW)
        (line,) = lines
        assert (line["event"], line["log_level"]) == ("issuer_keys_not_fetched", "warning")
        assert line["fault"].startswith("TSUZURI_JWKS_FILE: the file is not a JSON Web Key Set")

        world.holds(NEW)
        await world.pass_(FILES_PACE.refresh_seconds)
        assert await world.knows(NEW) and not await world.knows(OLD)

    tell(story)


def test_a_file_that_is_away_is_looked_for_again(tell: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        world.file.unlink()
        with capture_logs() as lines:
            await world.pass_(FILES_PACE.refresh_seconds)
        world.clock.at += 365 * 24 * 3_600  # a file is trusted for as long as it takes
        assert await world.knows(OLD)
        assert "cannot be read" in lines[0]["fault"]

        world.holds(NEW)
        await world.pass_(FILES_PACE.refresh_seconds)
        assert await world.knows(NEW) and not await world.knows(OLD)

    tell(story)


def test_while_reading_hangs_the_last_keys_serve_on_and_no_second_thread_hangs(
    tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_set_file, "READ_SECONDS_MAX", 0.05)

    async def story(world: World) -> None:
        world.file.unlink()
        os.mkfifo(world.file)  # whoever opens it waits until somebody writes
        try:
            for _ in range(3):
                await world.pass_(FILES_PACE.refresh_seconds)
            hanging = [thread for thread in threading.enumerate() if thread.name == "issuer-keys"]
            assert len(hanging) == 1
            assert await world.knows(OLD) and not await world.knows(NEW)
        finally:
            world.file.write_bytes(b"")

    tell(story)
