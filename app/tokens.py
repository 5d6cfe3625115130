"""Development tokens: signed with a key of this machine, where no identity provider is. Production has none."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from tsuzuri.app.keys import kept
from tsuzuri.app.settings import Settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import facility_number
from tsuzuri.domain.scopes import usual_scopes
from tsuzuri.domain.vocabulary import Role


class DevelopmentOnly(Exception):
    """Development tokens exist in development mode only."""


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
    if not settings.development or settings.jwks_file is not None or settings.discovery is not None:
        raise DevelopmentOnly(
            "development tokens exist only with TSUZURI_MODE=development and without TSUZURI_JWKS_FILE and "
            "TSUZURI_OIDC_DISCOVERY: in production, tokens come from your identity provider"
        )
    Caller(
        person=person, role=role, facility=facility_number(facility) if facility else None, patient=patient
    )
    key = development_key(settings)
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": person,
        "client_id": "tsuzuri-token",
        "iat": now,
        "exp": now + lifetime_seconds,
        "jti": str(uuid4()),
        "role": role.value,
        "scope": usual_scopes(role) if scope is None else scope,
    }
    claims |= {"facility": facility} if facility else {}
    claims |= {"patient": str(patient)} if patient else {}
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": key.thumbprint()}, claims, key)


def development_key(settings: Settings) -> ECKey:
    """The private key of this home, made by whoever comes first. Its `kid` is its thumbprint."""

    def make() -> bytes:
        key = ECKey.generate_key("P-256", auto_kid=True)
        return json.dumps(key.as_dict(private=True)).encode()

    return ECKey.import_key(json.loads(kept(_file(settings), make)))


def known_development_key(settings: Settings) -> frozenset[str]:
    """The thumbprint of the key of this home, if it has one: an issuer's key it can never be."""
    return frozenset({development_key(settings).thumbprint()} if _file(settings).exists() else set())


def _file(settings: Settings) -> Path:
    return settings.home / "keys" / "development-token.jwk"
