"""DPoP (RFC 9449): with each request, proof that a token's bearer holds the key it was issued for.

A proof is signed by whoever sends it, with a key that it brings along: everything in it is a stranger's.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, import_key

from tsuzuri.app.signed import Signed, TokenRefused, moment_claim, read_signed, text_claim

PROOF_ALGORITHMS = ("ES256", "EdDSA", "Ed25519")  # none whose cost the sender chooses, as that of RSA
PROOF_SECONDS = 60
LEEWAY_SECONDS = 5
_REQUIRED = ("jti", "htm", "htu", "iat", "ath")
_PORTS = {"https": 443, "http": 80}
_PUBLIC = {"EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}


@dataclass(frozen=True)
class Proof:
    """A proof that holds, if nobody showed it before: what tells it from every other."""

    digest: bytes


def check_proof(
    shown: Sequence[str], *, token: str, jkt: str, method: str, address: str, now: float
) -> Proof:
    """That *shown*, the DPoP headers of a request, prove for *token* that its sender holds the key *jkt*.

    *address*: as callers reach it, without a query. *now*: seconds of the Unix clock.

    Raises TokenRefused.
    """
    if len(shown) != 1:
        raise TokenRefused("proof: not exactly one")
    proof = read_signed(shown[0])
    key = _own_key(proof)
    if key.thumbprint() != jkt:
        raise TokenRefused("proof: of another key")
    proof.verify(key, PROOF_ALGORITHMS)
    claims = proof.claims
    if any(name not in claims for name in _REQUIRED):
        raise TokenRefused("proof: a claim is missing")
    asked = _normal(address)
    if claims["htm"] != method or asked is None or _normal(claims["htu"]) != asked:
        raise TokenRefused("proof: of another request")
    if claims["ath"] != _digest(token):
        raise TokenRefused("proof: of another token")
    issued = claims["iat"]
    if not moment_claim(issued) or not -LEEWAY_SECONDS <= now - issued <= PROOF_SECONDS:
        raise TokenRefused("proof: not of now")
    if not text_claim(claims["jti"]):
        raise TokenRefused("proof: jti is not text")
    return Proof(sha256(f"{jkt}\0{claims['jti']}".encode()).digest())


def _own_key(proof: Signed) -> Key:
    if proof.header.get("typ") != "dpop+jwt":
        raise TokenRefused("proof: of another type")
    jwk = proof.header.get("jwk")
    if not isinstance(jwk, dict) or "d" in jwk:
        raise TokenRefused("proof: no public key")
    try:
        key = import_key({name: jwk[name] for name in _PUBLIC[jwk["kty"]]})
    except (JoseError, ValueError, TypeError, KeyError):
        raise TokenRefused("proof: a key that is none") from None
    if not isinstance(key, ECKey | OKPKey) or key.curve_name not in ("P-256", "Ed25519"):
        raise TokenRefused("proof: a key of another curve")
    return key


def _digest(token: str) -> str:
    return urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()


def _normal(address: object) -> tuple[str, str, int | None, str] | None:
    """An address as RFC 3986, 6.2.2 and 6.2.3, compares it, without query and fragment; None when it is none."""
    if not isinstance(address, str) or not address.isascii() or not address.isprintable():
        return None
    try:
        parts = urlsplit(address)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.username is not None or parts.password is not None:
        return None
    return scheme, host, port or _PORTS.get(scheme), parts.path or "/"
