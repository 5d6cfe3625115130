"""A facility's system that holds a key, the token bound to it, and proofs of any making (DPoP, RFC 9449)."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from itertools import count
from typing import Any

from joserfc.jwk import ECKey

from examples import CLINIC
from token_examples import CLAIMS, NOW, ORIGIN, a_token, by, made

KEY = ECKey.generate_key("P-256")
ANOTHERS = ECKey.generate_key("P-256")
_numbers = count()

SYSTEM = {"role": "SYSTEM", "facility": CLINIC, "sub": "clinic-system", "client_id": "clinic-system"}
BOUND = a_token(**SYSTEM, scope="system/*.cruds", cnf={"jkt": KEY.thumbprint()})
BORNE = a_token(**SYSTEM, scope="system/*.cruds")
URL = f"{ORIGIN}/graphql"
assert CLAIMS["iat"] == NOW


def ath(token: str) -> str:
    return urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()


def proof_header(key: ECKey = KEY, **changes: Any) -> dict[str, Any]:
    return {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)} | changes


def proof_claims(**changes: Any) -> dict[str, Any]:
    """Of the next proof of a series, for one POST to /graphql at the moment the tests began."""
    usual = {"jti": f"proof-{next(_numbers)}", "htm": "POST", "htu": URL, "iat": NOW, "ath": ath(BOUND)}
    return usual | changes


def a_proof(*, key: ECKey = KEY, header: object = None, **changes: Any) -> str:
    return made(proof_claims(**changes), proof_header(key) if header is None else header, by(key))
