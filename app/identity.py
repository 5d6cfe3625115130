"""Who calls: the token that a request brings and, where it is bound to a key, the proof beside it."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from hashlib import sha256
from typing import NamedTuple, Self

from joserfc.jwk import ECKey

from tsuzuri.app.access_tokens import AccessToken, TokenPolicy
from tsuzuri.app.discovery import Discovery
from tsuzuri.app.issuer_keys import IssuerKeys
from tsuzuri.app.key_set_file import keys_of_file
from tsuzuri.app.proofs import check_proof
from tsuzuri.app.proofs_seen import ProofsSeen
from tsuzuri.app.settings import Settings, SettingsWrong
from tsuzuri.app.signed import SIGNED_BYTES_MAX, TokenRefused, read_signed
from tsuzuri.app.token_keys import GivenKeys, TokenKeys
from tsuzuri.app.tokens import development_key, known_development_key
from tsuzuri.domain.callers import Caller
from tsuzuri.eventlog.connecting import Logins

TOKENS_REMEMBERED_MAX = 10_000


class StepUpNeeded(Exception):
    """A good token of somebody who must sign in more strongly (RFC 9470)."""

    def __init__(self, scheme: str, acr_values: tuple[str, ...]) -> None:
        super().__init__("sign in with a second factor")
        self.scheme = scheme
        self.acr_values = acr_values


class Presented(NamedTuple):
    """What a request brings to say who sends it. One is made for each: a tuple, since that is made quickly."""

    authorization: tuple[str, ...]  # the headers of this name
    proofs: tuple[str, ...]  # those named DPoP
    method: str
    path: str  # as it was sent, without the query

    @classmethod
    def by(cls, headers: Iterable[tuple[bytes, bytes]], method: str, raw_path: bytes) -> Self:
        """*headers* as ASGI gives them, their names in small letters."""
        authorization, proofs = [], []
        for name, value in headers:
            if name == b"authorization":
                authorization.append(value.decode("latin-1"))
            elif name == b"dpop":
                proofs.append(value.decode("latin-1"))
        return cls(tuple(authorization), tuple(proofs), method, raw_path.decode("latin-1"))

    @classmethod
    def bearer(cls, token: str) -> Self:
        """A token alone, outside of HTTP: one that is bound to a key proves nothing here."""
        return cls((f"Bearer {token}",), (), "", "")


class Identity:
    """Recognises callers. One for each process; a token that was checked is remembered, a proof is always checked."""

    def __init__(
        self,
        keys: TokenKeys,
        policy: TokenPolicy,
        seen: ProofsSeen,
        public_url: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys, self._policy, self._seen = keys, policy, seen
        self._public_url, self._now = public_url, now
        self._remembered: dict[bytes, AccessToken] = {}
        self._standing: int | None = None

    async def caller(self, presented: Presented) -> Caller:
        """Raises TokenRefused, StepUpNeeded, KeysUnavailable, StoreUnavailable."""
        scheme, text = _credentials(presented)
        token = await self._token(scheme, text)
        if token.jkt is not None:
            proof = check_proof(
                presented.proofs,
                token=text,
                jkt=token.jkt,
                method=presented.method,
                address=self._public_url + presented.path,
                now=self._now(),
            )
            if not await self._seen.first(proof):
                raise TokenRefused("proof: shown before")
        return self._strong_enough(scheme, token)

    async def still_caller(self, presented: Presented) -> Caller:
        """Of a request that goes on: its token is checked once more, its proof counted when it began.

        Raises as `caller`.
        """
        scheme, text = _credentials(presented)
        return self._strong_enough(scheme, await self._token(scheme, text))

    @contextlib.asynccontextmanager
    async def opened(self, logins: Logins) -> AsyncIterator[None]:
        """While it is open, the issuer's keys are looked after and proofs can be counted."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._seen.opened(logins))
            if isinstance(self._keys, IssuerKeys):
                await stack.enter_async_context(self._keys.looked_after())
            yield

    async def _token(self, scheme: str, text: str) -> AccessToken:
        token = self._recalled(text) or await self._checked(text)
        if (token.jkt is not None) != (scheme == "dpop"):
            raise TokenRefused("the scheme is not that of the token")
        return token

    def _recalled(self, text: str) -> AccessToken | None:
        standing = self._keys.standing()
        if standing is None or standing != self._standing:
            self._remembered.clear()
            self._standing = standing
        token = self._remembered.get(_digest(text))
        return token if token is not None and self._now() < token.expires else None

    async def _checked(self, text: str) -> AccessToken:
        signed = read_signed(text)
        kid = signed.header.get("kid")
        if not isinstance(kid, str):
            raise TokenRefused("no kid")
        key = await self._keys.key(kid)
        token = self._policy.opened(signed, key, self._now())
        if self._standing == self._keys.standing():
            if len(self._remembered) >= TOKENS_REMEMBERED_MAX:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[_digest(text)] = token
        return token

    def _strong_enough(self, scheme: str, token: AccessToken) -> Caller:
        if not token.signed_in_enough:
            raise StepUpNeeded("DPoP" if scheme == "dpop" else "Bearer", self._policy.acr_values)
        return token.caller


def identity_of(settings: Settings) -> Identity:
    """As the operator set it. Raises SettingsWrong."""
    keys, policy = _keys(settings), TokenPolicy.of(settings)
    public_url = settings.public_url
    if public_url is None:
        if policy.system_tokens_bound:
            raise SettingsWrong(
                "TSUZURI_PUBLIC_URL is not set: facilities' systems prove that a token is theirs for the address they "
                "ask. Give the address that they use, or set TSUZURI_SYSTEM_TOKENS=bearer"
            )
        public_url = f"http://{settings.host}:{settings.port}"
    return Identity(keys, policy, ProofsSeen(), public_url)


def _keys(settings: Settings) -> TokenKeys:
    if settings.jwks_file is not None and settings.discovery is not None:
        raise SettingsWrong("TSUZURI_JWKS_FILE and TSUZURI_OIDC_DISCOVERY: give one of them")
    if settings.discovery is not None:
        fetch = Discovery(settings.discovery, settings.issuer).fetch
        return IssuerKeys(fetch, settings.jwks_trust_hours * 3_600)
    if settings.jwks_file is not None:
        return keys_of_file(settings.jwks_file, never=known_development_key(settings))
    if settings.development:
        key = ECKey.import_key(development_key(settings).as_dict(private=False))
        return GivenKeys({key.thumbprint(): key})
    raise SettingsWrong(
        "neither TSUZURI_OIDC_DISCOVERY nor TSUZURI_JWKS_FILE is set: nobody could be recognised. Name the token "
        "issuer, or set TSUZURI_MODE=development on a machine without real data"
    )


def _credentials(presented: Presented) -> tuple[str, str]:
    """The scheme in small letters, and the token. Raises TokenRefused."""
    if len(presented.authorization) != 1:
        raise TokenRefused("not exactly one Authorization")
    scheme, _, text = presented.authorization[0].partition(" ")
    scheme = scheme.lower()
    if scheme not in ("bearer", "dpop") or len(text) > SIGNED_BYTES_MAX or not text.isascii():
        raise TokenRefused("no token")
    return scheme, text


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
