"""Bearer tokens: JWT access tokens (RFC 9068), checked whole; and development tokens from a local key.

What joserfc does not check we do: the type `at+jwt`, duplicate claims, the size of the header, the lifetime.
"""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import JWSRegistry

from tsuzuri.app.keys import kept
from tsuzuri.app.settings import Settings, SettingsWrong, read_secret
from tsuzuri.domain.callers import Caller, IncompleteCaller
from tsuzuri.domain.identifiers import MalformedNumber, facility_number
from tsuzuri.domain.scopes import scopes_of, usual_scopes
from tsuzuri.domain.vocabulary import Role

TOKEN_BYTES_MAX = 8_192
LIFETIME_SECONDS_MAX = 12 * 3_600
LEEWAY_SECONDS = 5
ALGORITHMS = ["ES256", "RS256", "EdDSA"]
_REQUIRED = ("iss", "aud", "sub", "exp", "iat", "jti", "role")


class TokenRefused(Exception):
    """One answer for every broken token; the reason goes to the log, never to the caller."""


class DevelopmentOnly(Exception):
    """Development tokens exist in development mode only."""


@dataclass(frozen=True)
class TokenChecker:
    """Turns a token into a Caller, by public keys alone."""

    keys: KeySet
    issuer: str
    audience: str
    now: Callable[[], float] = time.time

    def caller(self, token: str) -> Caller:
        """Raises TokenRefused."""
        if len(token) > TOKEN_BYTES_MAX:
            raise TokenRefused("too long")
        try:
            decoded = jwt.decode(token, self.keys, algorithms=ALGORITHMS, registry=_REGISTRY)
            claims = _unique(token)
        except (JoseError, ValueError, RecursionError, UnicodeError) as error:
            raise TokenRefused(type(error).__name__) from None
        if decoded.header.get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
            raise TokenRefused("not an access token")
        self._check(claims)
        try:
            return Caller(
                person=claims["sub"],
                role=Role(claims["role"]),
                facility=facility_number(claims["facility"]) if claims.get("facility") else None,
                patient=UUID(claims["patient"]) if claims.get("patient") else None,
                session=claims["jti"],
                scopes=scopes_of(claims.get("scope") or ""),
            )
        except (ValueError, TypeError, AttributeError, IncompleteCaller, MalformedNumber):
            raise TokenRefused("a claim is not of its form") from None

    def _check(self, claims: dict[str, Any]) -> None:
        if any(name not in claims for name in _REQUIRED):
            raise TokenRefused("a claim is missing")
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims["iss"] != self.issuer or self.audience not in audience:
            raise TokenRefused("issued for somebody else")
        times = [claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])]
        if not all(isinstance(moment, int) and not isinstance(moment, bool) for moment in times):
            raise TokenRefused("a time is not a number")
        issued, expires, begins = times
        now = self.now()
        if not (begins - LEEWAY_SECONDS <= now < expires and issued - LEEWAY_SECONDS <= now):
            raise TokenRefused("not valid now")
        if expires - issued > LIFETIME_SECONDS_MAX:
            raise TokenRefused("valid for too long")
        if not all(_readable(claims[name]) for name in ("sub", "jti", "role")):
            raise TokenRefused("a claim is not text")


def _readable(claim: object) -> bool:
    """Text that the trail can hold and show."""
    return isinstance(claim, str) and 0 < len(claim) <= 200 and claim.isprintable()


_REGISTRY = JWSRegistry(algorithms=ALGORITHMS)


def _unique(token: str) -> dict[str, Any]:
    """The claims, refusing a payload that names one twice: readers differ on which of the two counts."""
    payload = token.split(".")[1]
    pairs = json.loads(
        urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), object_pairs_hook=_refuse_duplicates
    )
    if not isinstance(pairs, dict):
        raise ValueError("claims are not an object")
    return pairs


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a claim stands twice")
    return dict(pairs)


def token_checker(settings: Settings) -> TokenChecker:
    """Keys from TSUZURI_JWKS_FILE; in development, where none is given, the local key's public half.

    Raises:
        SettingsWrong: no keys.
    """
    if settings.jwks_file is not None:
        try:
            keys = KeySet.import_key_set(json.loads(read_secret(settings.jwks_file, "TSUZURI_JWKS_FILE")))
        except (ValueError, TypeError, KeyError, RecursionError, JoseError):
            raise SettingsWrong("TSUZURI_JWKS_FILE: the file is not a JSON Web Key Set") from None
    elif settings.development:
        keys = KeySet([ECKey.import_key(_local_key(settings).as_dict(private=False))])
    else:
        raise SettingsWrong(
            "TSUZURI_JWKS_FILE is not set: nobody could be recognised. Give the token issuer's public keys, "
            "or set TSUZURI_MODE=development on a machine without real data"
        )
    return TokenChecker(keys, settings.issuer, settings.audience)


def development_token(
    settings: Settings,
    *,
    role: Role,
    person: str,
    facility: str | None = None,
    patient: UUID | None = None,
    scope: str | None = None,
    lifetime_seconds: int = 8 * 3_600,
) -> str:
    """A token signed with the local key, with all scopes that its role may have when none are named.

    Raises DevelopmentOnly, IncompleteCaller, MalformedNumber.
    """
    if not settings.development or settings.jwks_file is not None:
        raise DevelopmentOnly(
            "development tokens exist only with TSUZURI_MODE=development and without TSUZURI_JWKS_FILE: "
            "in production, tokens come from your identity provider"
        )
    Caller(
        person=person, role=role, facility=facility_number(facility) if facility else None, patient=patient
    )
    key = _local_key(settings)
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": person,
        "iat": now,
        "exp": now + lifetime_seconds,
        "jti": str(uuid4()),
        "role": role.value,
        "scope": usual_scopes(role) if scope is None else scope,
    }
    claims |= {"facility": facility} if facility else {}
    claims |= {"patient": str(patient)} if patient else {}
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": key.kid}, claims, key)


def _local_key(settings: Settings) -> ECKey:
    def make() -> bytes:
        key = ECKey.generate_key("P-256", auto_kid=True)
        return json.dumps(key.as_dict(private=True)).encode()

    return ECKey.import_key(json.loads(kept(settings.home / "keys" / "development-token.jwk", make)))
