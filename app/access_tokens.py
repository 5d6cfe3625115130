"""JWT access tokens (RFC 9068), checked whole: who calls, until when, and by which key he must prove that it is he."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc.jwk import Key

from tsuzuri.app.settings import Settings
from tsuzuri.app.signed import Signed, TokenRefused, moment_claim, text_claim
from tsuzuri.domain.callers import FACILITY_ROLES, Caller, IncompleteCaller
from tsuzuri.domain.identifiers import MalformedNumber, facility_number
from tsuzuri.domain.scopes import scopes_of
from tsuzuri.domain.vocabulary import Role

ALGORITHMS = ("ES256", "RS256", "EdDSA", "Ed25519")
LEEWAY_SECONDS = 5
_TYPES = ("at+jwt", "application/at+jwt")
_REQUIRED = ("iss", "aud", "sub", "client_id", "exp", "iat", "jti", "role")
_STAFF = FACILITY_ROLES - {Role.SYSTEM} | {Role.AUDITOR, Role.OPERATOR}


@dataclass(frozen=True)
class AccessToken:
    """What one token says, once it was checked."""

    caller: Caller
    expires: int  # seconds of the Unix clock
    jkt: str | None  # thumbprint of the key that its bearer must prove to hold; None: whoever bears it
    signed_in_enough: bool  # as strongly as is asked of the caller's role


@dataclass(frozen=True)
class TokenPolicy:
    """What a token must be, as the operator set it."""

    issuer: str
    audience: str
    lifetime_seconds_max: int
    second_factor: frozenset[Role]  # of whom it is asked
    acr_values: tuple[str, ...]
    amr_values: tuple[str, ...]
    system_tokens_bound: bool

    @classmethod
    def of(cls, settings: Settings) -> "TokenPolicy":
        asked = {"none": frozenset[Role](), "staff": _STAFF, "all": _STAFF | {Role.PATIENT}}
        return cls(
            settings.issuer,
            settings.audience,
            settings.token_minutes * 60,
            asked[settings.second_factor],
            settings.acr_values,
            settings.amr_values,
            settings.system_tokens_bound,
        )

    def opened(self, signed: Signed, key: Key, now: float) -> AccessToken:
        """*signed* as the access token it must be, signed by *key*. Raises TokenRefused."""
        typ = signed.header.get("typ")
        if not isinstance(typ, str) or typ.lower() not in _TYPES:
            raise TokenRefused("not an access token")
        signed.verify(key, ALGORITHMS)
        claims = signed.claims
        self._check(claims, now)
        caller = _caller(claims)
        jkt = _bound_to(claims)
        if jkt is None and caller.role is Role.SYSTEM and self.system_tokens_bound:
            raise TokenRefused("a system's token that anybody could bear")
        return AccessToken(caller, claims["exp"], jkt, self._signed_in_enough(claims, caller.role))

    def _check(self, claims: Mapping[str, Any], now: float) -> None:
        if any(name not in claims for name in _REQUIRED):
            raise TokenRefused("a claim is missing")
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if claims["iss"] != self.issuer or self.audience not in audience:
            raise TokenRefused("issued for somebody else")
        issued, expires, begins = claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])
        if not all(map(moment_claim, (issued, expires, begins))):
            raise TokenRefused("a time is not a number")
        if not (begins - LEEWAY_SECONDS <= now < expires and issued - LEEWAY_SECONDS <= now):
            raise TokenRefused("not valid now")
        if expires - issued > self.lifetime_seconds_max:
            raise TokenRefused("valid for too long")
        if not all(text_claim(claims[name]) for name in ("sub", "client_id", "jti", "role")):
            raise TokenRefused("a claim is not text")

    def _signed_in_enough(self, claims: Mapping[str, Any], role: Role) -> bool:
        """RFC 9470. Raises TokenRefused: `acr` or `amr` is not of its form."""
        acr, amr = claims.get("acr"), claims.get("amr", [])
        if not isinstance(acr, str | None) or not isinstance(amr, list):
            raise TokenRefused("acr or amr is not of its form")
        told = acr in self.acr_values or any(word in self.amr_values for word in amr)
        return told or role not in self.second_factor


def _caller(claims: Mapping[str, Any]) -> Caller:
    try:
        return Caller(
            person=claims["sub"],
            role=Role(claims["role"]),
            facility=facility_number(claims["facility"]) if claims.get("facility") else None,
            patient=UUID(claims["patient"]) if claims.get("patient") else None,
            session=claims["jti"],
            client=claims["client_id"],
            scopes=scopes_of(claims.get("scope") or ""),
        )
    except (ValueError, TypeError, AttributeError, IncompleteCaller, MalformedNumber):
        raise TokenRefused("a claim is not of its form") from None


def _bound_to(claims: Mapping[str, Any]) -> str | None:
    """RFC 9449, section 6. A token bound in a way that we cannot check is not one for whoever bears it."""
    if "cnf" not in claims:
        return None
    cnf = claims["cnf"]
    if not isinstance(cnf, dict) or set(cnf) != {"jkt"} or not text_claim(cnf["jkt"]):
        raise TokenRefused("bound to something that cannot be proved")
    jkt: str = cnf["jkt"]
    return jkt
