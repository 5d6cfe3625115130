"""An issuer, its keys, and tokens of any making: good ones, and such as no library would sign."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from joserfc.jwk import ECKey, RSAKey

from examples import HOSPITAL
from tsuzuri.app.access_tokens import TokenPolicy
from tsuzuri.app.identity import Identity, Presented
from tsuzuri.app.proofs_seen import ProofsSeen
from tsuzuri.app.settings import read_settings
from tsuzuri.app.token_keys import GivenKeys, read_key_set
from tsuzuri.domain.callers import Caller

ISSUER, AUDIENCE, ORIGIN = "https://issuer.example", "tsuzuri", "https://records.example"
NOW = int(time.time())
OURS = ECKey.generate_key("P-256", {"kid": "ours"})
OURS_TOO = RSAKey.generate_key(2048, {"kid": "ours-too"})
PUBLIC: Any = {"keys": [OURS.as_dict(private=False), OURS_TOO.as_dict(private=False)]}

HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "ours"}
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "dr-hamada",
    "client_id": "hospital-viewer",
    "iat": NOW,
    "exp": NOW + 3_000,  # a run of all tests takes a while
    "jti": "session-1",
    "role": "CLINICIAN",
    "facility": HOSPITAL,
}

Signer = Callable[[bytes], bytes]
"""What signs the text of a token."""

Post = Callable[[str, bytes | None], httpx.Response]
"""The fixture `post`: the answer to what is sent to a route under an Authorization header."""


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def by(key: ECKey) -> Signer:
    """ES256 done by hand: no library of ours refuses to sign what should be refused."""

    def sign(text: bytes) -> bytes:
        private = key.private_key
        assert private is not None
        r, s = utils.decode_dss_signature(private.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def made(claims: object, header: object = HEADER, sign: Signer | None = None) -> str:
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded((sign or by(OURS))(text.encode()))}"


def a_token(**changes: object) -> str:
    return made(CLAIMS | changes)


def headed(**changes: object) -> str:
    return made(CLAIMS, HEADER | changes)


def without(name: str, of: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in of.items() if key != name}


def an_identity(*, keys: object = PUBLIC, now: Callable[[], float] = lambda: NOW, **policy: Any) -> Identity:
    """As open as it gets, but for what is changed. It has no database: proofs are refused as not to be counted."""
    usual = TokenPolicy.of(
        read_settings({"TSUZURI_MODE": "development", "TSUZURI_ISSUER": ISSUER, "TSUZURI_AUDIENCE": AUDIENCE})
    )
    given = GivenKeys(read_key_set(json.dumps(keys).encode()))
    return Identity(given, replace(usual, **policy), ProofsSeen(), ORIGIN, now)


def recognised(identity: Identity, token: str) -> Caller:
    """Whom a bearer token alone says. Raises as `Identity.caller`."""
    return asyncio.run(identity.caller(Presented.bearer(token)))


GOOD = a_token()
