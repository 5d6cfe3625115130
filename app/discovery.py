"""OpenID Connect Discovery 1.0: where an issuer publishes its keys, and what it publishes there.

Nothing else is ever fetched: no address that a token names (`jku`, `x5u`).
"""

import asyncio
import json
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from tsuzuri.app.issuer_keys import KeysNotFetched, aside
from tsuzuri.app.settings import safe_address
from tsuzuri.app.token_keys import KeysMalformed, PublicKeys, read_key_set

ANSWER_BYTES_MAX = 256 * 1024
WAIT_SECONDS = 5.0  # for the next bytes
ANSWER_SECONDS_MAX = 10.0  # for one answer
_PIECE_BYTES = 16 * 1024


class Discovery:
    """Asks one issuer. Answers are taken as they are or not at all: no redirect is followed.

    *address*: of its configuration; https, or http of this machine (see tsuzuri.app.settings).
    """

    def __init__(self, address: str, issuer: str, now: Callable[[], float] = time.monotonic) -> None:
        self._address, self._issuer, self._now = address, issuer, now
        self._here = urlsplit(address).scheme == "http"
        proxy = [ProxyHandler({})] if self._here else []  # that of the environment is for addresses elsewhere
        self._opener: OpenerDirector = build_opener(_NoRedirects, *proxy)

    async def fetch(self) -> PublicKeys:
        """Raises KeysNotFetched."""
        try:
            async with asyncio.timeout(2 * (ANSWER_SECONDS_MAX + WAIT_SECONDS)):
                return await aside(self._fetch)
        except TimeoutError:
            raise KeysNotFetched("it answered too slowly") from None

    def _fetch(self) -> PublicKeys:
        configuration = self._got(self._address)
        try:
            told = json.loads(configuration)
            issuer, jwks_uri = told["issuer"], told["jwks_uri"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise KeysNotFetched("its configuration names no issuer and jwks_uri") from None
        if issuer != self._issuer:
            raise KeysNotFetched("its configuration is that of another issuer than TSUZURI_ISSUER")
        if not isinstance(jwks_uri, str) or not self._may_ask(jwks_uri):
            raise KeysNotFetched("its jwks_uri is no https address")
        try:
            return read_key_set(self._got(jwks_uri))
        except KeysMalformed as error:
            raise KeysNotFetched(f"its keys: {error}") from None

    def _may_ask(self, jwks_uri: str) -> bool:
        """An issuer elsewhere has no say in what is asked of this machine."""
        return safe_address(jwks_uri) and (self._here or urlsplit(jwks_uri).scheme == "https")

    def _got(self, address: str) -> bytes:
        request = Request(address, headers={"Accept": "application/json", "User-Agent": "tsuzuri"})
        until = self._now() + ANSWER_SECONDS_MAX
        found = bytearray()
        try:
            with self._opener.open(request, timeout=WAIT_SECONDS) as answer:
                if answer.status != 200:
                    raise KeysNotFetched(f"the answer was {answer.status}")
                while piece := answer.read1(_PIECE_BYTES):
                    found += piece
                    if len(found) > ANSWER_BYTES_MAX or self._now() > until:
                        raise KeysNotFetched("the answer was too large, or too slow")
        except HTTPError as error:
            error.close()
            raise KeysNotFetched(f"the answer was {error.code}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise KeysNotFetched(f"no answer ({type(error).__name__})") from None
        return bytes(found)


class _NoRedirects(HTTPRedirectHandler):
    """Whose keys count is not for another address to say."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None
