"""The keys of a token issuer, which change: found by OpenID Connect Discovery, or in a file that an operator replaces.

Looked at again now and then, and when a token names a key that is not among them, yet never twice within a while,
whatever comes. Of an issuer that is every 45 s, and never twice within 30 s: a new key counts within a minute, and one
that is withdrawn counts no longer than that. While they cannot be had, the keys held last go on for as long as they are
trusted.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import structlog
from joserfc.jwk import Key

from tsuzuri.app.ending import ended
from tsuzuri.app.signed import TokenRefused
from tsuzuri.app.token_keys import KeysUnavailable, PublicKeys
from tsuzuri.graphql.failures import places

FETCH_SECONDS_MIN = 30.0
_LOOK_SECONDS = 1.0
_log = structlog.get_logger()


class KeysNotFetched(Exception):
    """There was no answer with keys; the message says what there was instead, and nothing of a key."""


Fetch = Callable[[], Awaitable[PublicKeys]]
"""Asks once. Raises KeysNotFetched."""


@dataclass(frozen=True)
class Pace:
    """How often keys are looked at."""

    refresh_seconds: float  # by itself
    seconds_min: float  # between two looks, whatever comes


ISSUERS_PACE = Pace(45.0, FETCH_SECONDS_MIN)


class IssuerKeys:
    """Implements TokenKeys. One for each process.

    *trust_seconds*: how long keys count that could not be looked at again. *now*: a clock that never goes back.
    *held*: keys that were looked at just now.
    """

    def __init__(
        self,
        fetch: Fetch,
        trust_seconds: float,
        now: Callable[[], float] = time.monotonic,
        *,
        pace: Pace = ISSUERS_PACE,
        held: PublicKeys | None = None,
    ) -> None:
        self._fetch, self._trust_seconds, self._now, self._pace = fetch, trust_seconds, now, pace
        self._keys: PublicKeys = {}
        self._thumbprints: dict[str, str] = {}
        self._version = 0
        self._asked = self._answered = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        if held is not None:
            self._asked = self._now()
            self._take(held)

    def standing(self) -> int | None:
        return self._version if self.age_seconds <= self._trust_seconds else None

    @property
    def age_seconds(self) -> float:
        """Since the issuer last answered; infinite before it did."""
        return self._now() - self._answered

    async def key(self, kid: str) -> Key:
        if self.standing() is None or kid not in self._keys:
            await self._ask_again_after(self._pace.seconds_min)
        if self.standing() is None:
            raise KeysUnavailable("the token issuer's keys cannot be had: see TSUZURI_OIDC_DISCOVERY")
        if kid not in self._keys:
            raise TokenRefused("no such key")
        return self._keys[kid]

    async def look_again(self) -> None:
        """Ask if it is time to."""
        known = self.standing() is not None
        await self._ask_again_after(self._pace.refresh_seconds if known else self._pace.seconds_min)

    @contextlib.asynccontextmanager
    async def looked_after(self) -> AsyncIterator[None]:
        """Ask now, and again and again as long as this is open. That the issuer is away is no reason not to begin."""

        async def look_on_and_on() -> None:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                await self.look_again()

        await self.look_again()
        looking = asyncio.create_task(look_on_and_on())
        try:
            yield
        finally:
            await ended([looking] if self._asking is None else [looking, self._asking])

    async def _ask_again_after(self, seconds: float) -> None:
        """Whoever needs an answer while one is on its way waits for that one."""
        if self._asking is None and self._now() - self._asked >= seconds:
            self._asked = self._now()
            self._asking = asyncio.create_task(self._ask())
        if self._asking is not None:
            await asyncio.shield(self._asking)  # who goes away does not take the answer from the others

    async def _ask(self) -> None:
        try:
            keys = await self._fetch()
        except KeysNotFetched as error:
            _log.warning("issuer_keys_not_fetched", fault=str(error))
            return
        except Exception as error:  # a fault of ours must not end the looking
            _log.error("issuer_keys_not_fetched", fault=type(error).__name__, at=places(error))
            return
        finally:
            self._asking = None
        self._take(keys)

    def _take(self, keys: PublicKeys) -> None:
        self._answered = self._now()
        thumbprints = {kid: key.thumbprint() for kid, key in keys.items()}
        if thumbprints != self._thumbprints:
            self._keys, self._thumbprints = keys, thumbprints
            self._version += 1


async def aside(work: Callable[[], PublicKeys]) -> PublicKeys:
    """In a thread that nobody waits for when the process ends: what hangs must not hold up the end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[PublicKeys] = loop.create_future()

    def tell(result: PublicKeys | None, error: BaseException | None) -> None:
        if done.done():  # it was too slow, and given up
            return
        if error is not None:
            done.set_exception(error)
        elif result is not None:
            done.set_result(result)

    def run() -> None:
        try:
            told: tuple[PublicKeys | None, BaseException | None] = work(), None
        except BaseException as error:
            told = None, error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(tell, *told)

    threading.Thread(target=run, name="issuer-keys", daemon=True).start()
    return await done
