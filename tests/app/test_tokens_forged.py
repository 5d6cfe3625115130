"""A forged token gets nowhere, and gets one answer, whatever is wrong with it."""

import hmac
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, RSAKey
from structlog.testing import capture_logs

from examples import CLINIC, HOSPITAL, PATIENT
from token_examples import (
    AUDIENCE,
    CLAIMS,
    GOOD,
    HEADER,
    ISSUER,
    NOW,
    OURS,
    OURS_TOO,
    Post,
    Signer,
    a_token,
    by,
    encoded,
    headed,
    made,
    recognised,
    without,
)
from tsuzuri.app.identity import Identity
from tsuzuri.app.signed import SIGNED_BYTES_MAX, TokenRefused

THEIRS = ECKey.generate_key("P-256", {"kid": "ours"})  # a stranger's key under our key's name
REQUIRED = ("iss", "aud", "sub", "client_id", "exp", "iat", "jti", "role")
TWELVE_HOURS = 12 * 3_600


def with_secret(secret: bytes) -> Signer:
    return lambda text: hmac.digest(secret, text, sha256)


def doubled(name: str, second: object) -> str:
    """A payload that names one claim twice."""
    return made(f'{json.dumps(CLAIMS)[:-1]}, "{name}": {json.dumps(second)}}}'.encode())


def public_pem(key: ECKey | RSAKey) -> bytes:
    return key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hmac_header(kid: str) -> dict[str, str]:
    return {"alg": "HS256", "typ": "at+jwt", "kid": kid}


SIGNED, _, SIGNATURE = GOOD.rpartition(".")

ATTACKS: dict[str, str] = {
    # no token at all
    "empty": "",
    "garbage": "garbage",
    "three pieces of garbage": "a.b.c",
    "only dots": "..",
    "five parts, like an encrypted one": "a.b.c.d.e",
    "unicode": "日本.語.票",
    "a NUL": "\0",
    "a megabyte": "A" * 1024 * 1024,
    "nine signed kilobytes": a_token(more="x" * 6_500),
    "a signed megabyte": a_token(more="x" * 1024 * 1024),
    "a byte longer than may be": "A" * (SIGNED_BYTES_MAX + 1),
    "a good one, folded": GOOD.replace(".", ".\n", 1),
    "a good one, twice": f"{GOOD}, {GOOD}",
    # the signature
    "no signature": f"{SIGNED}.",
    "half a signature": f"{SIGNED}.{SIGNATURE[:40]}",
    "another claim under a good signature": f"{encoded(HEADER)}.{encoded(CLAIMS | {'sub': 'x'})}.{SIGNATURE}",
    "a stranger's key under our name": made(CLAIMS, sign=by(THEIRS)),
    "unknown kid": headed(kid="nobody's"),
    "kid of another kind of key": headed(kid="ours-too"),
    "kid that is a path": headed(kid="../../dev/null"),
    "no kid where there are two keys": made(CLAIMS, without("kid", HEADER)),
    "embedded jwk": made(CLAIMS, HEADER | {"jwk": THEIRS.as_dict(private=False)}, by(THEIRS)),
    "embedded jwk without kid": made(
        CLAIMS, without("kid", HEADER) | {"jwk": THEIRS.as_dict(private=False)}, by(THEIRS)
    ),
    "jku": made(CLAIMS, HEADER | {"jku": "https://evil.example/keys"}, by(THEIRS)),
    # the algorithm
    "alg none": made(CLAIMS, HEADER | {"alg": "none"}, lambda _: b""),
    "alg None": made(CLAIMS, HEADER | {"alg": "None"}, lambda _: b""),
    "alg none with our signature": headed(alg="none"),
    "no alg": made(CLAIMS, without("alg", HEADER)),
    "alg twice": made(CLAIMS, b'{"alg":"ES256","typ":"at+jwt","kid":"ours","alg":"none"}', lambda _: b""),
    "alg that is a list": headed(alg=["ES256"]),
    "HS256 with our public PEM": made(CLAIMS, hmac_header("ours"), with_secret(public_pem(OURS))),
    "HS256 with our public RSA PEM": made(CLAIMS, hmac_header("ours-too"), with_secret(public_pem(OURS_TOO))),
    "HS256 with our public JWK": made(
        CLAIMS, hmac_header("ours"), with_secret(json.dumps(OURS.as_dict(private=False)).encode())
    ),
    "HS256 with nothing": made(CLAIMS, hmac_header("ours"), with_secret(b"")),
    "RS256 with our EC key": headed(alg="RS256"),
    # the header
    "typ JWT, like an id token": headed(typ="JWT"),
    "typ of another kind": headed(typ="dpop+jwt"),
    "no typ": made(CLAIMS, without("typ", HEADER)),
    "typ that is a list": headed(typ=["at+jwt"]),
    "typ null": headed(typ=None),
    "crit that nobody knows": headed(crit=["http://example/unknown"]),
    "crit that is empty": headed(crit=[]),
    "unencoded payload": headed(b64=False, crit=["b64"]),
    "unencoded payload that nobody must know of": headed(b64=True),
    "header that names its kid twice": made(
        CLAIMS, b'{"alg":"ES256","typ":"at+jwt","kid":"nobody\'s","kid":"ours"}'
    ),
    "header with a member that no standard has": headed(x="y"),
    "x5u": made(CLAIMS, HEADER | {"x5u": "https://evil.example/chain"}, by(THEIRS)),
    "kid that is a number": headed(kid=1),
    "kid that is null": headed(kid=None),
    "header that is a list": made(CLAIMS, b"[]"),
    "header nested deeply": made(CLAIMS, b"[" * 3_000),
    "header of four kilobytes": headed(more="x" * 4_000),
    # the claims
    "claims that are a list": made(b"[]"),
    "claims that are a text": made(b'"dr-hamada"'),
    "claims that are not JSON": made(b"{"),
    "claims that are not UTF-8": made(b'{"sub": "\xff"}'),
    "claims nested deeply": made(b"[" * 5_000),
    "claims nested nine deep": a_token(address=[[[[[[[[1]]]]]]]]),
    "a claim of a claim twice": made(
        json.dumps(CLAIMS)[:-1].encode() + b', "cnf": {"jkt": "a", "jkt": "b"}}'
    ),
    "a claim that is not a number": a_token(auth_time=float("nan")),
    "claims of digits": made(b'{"exp": ' + b"9" * 5_000 + b"}"),
    "sub twice": doubled("sub", "somebody else"),
    "role twice": doubled("role", "OPERATOR"),
    "facility twice": doubled("facility", CLINIC),
    **{f"no {name}": made(without(name, CLAIMS)) for name in REQUIRED},
    "wrong iss": a_token(iss="https://evil.example"),
    "iss that is a list": a_token(iss=[ISSUER]),
    "iss with a slash more": a_token(iss=ISSUER + "/"),
    "wrong aud": a_token(aud="another-service"),
    "aud for others": a_token(aud=["another-service", "a third"]),
    "aud that holds ours": a_token(aud=f"not-{AUDIENCE}"),
    "aud that is an object": a_token(aud={AUDIENCE: True}),
    "aud that is empty": a_token(aud=[]),
    "aud null": a_token(aud=None),
    "expired": a_token(iat=NOW - 7_200, exp=NOW - 3_600),
    "expired this second": a_token(iat=NOW - 600, exp=NOW),
    "not yet valid": a_token(nbf=NOW + 3_000, exp=NOW + 3_500),
    "issued in the future": a_token(iat=NOW + 3_000, exp=NOW + 3_500),
    "valid for too long": a_token(exp=NOW + TWELVE_HOURS + 60),
    "valid for ever": a_token(exp=10**30),
    "exp as text": a_token(exp=str(NOW + 600)),
    "exp as true": a_token(exp=True),
    "exp as a float": a_token(exp=NOW + 600.5),
    "exp null": a_token(exp=None),
    "exp infinite": a_token(exp=float("inf")),
    "exp not a number": a_token(exp=float("nan")),
    "iat as text": a_token(iat=str(NOW)),
    "nbf as text": a_token(nbf="now"),
    "nbf as true": a_token(nbf=True),
    "nbf null": a_token(nbf=None),
    "sub empty": a_token(sub=""),
    "sub a number": a_token(sub=4711),
    "sub with a line break": a_token(sub="dr-hamada\nOPERATOR"),
    "sub with a NUL": a_token(sub="dr\0hamada"),
    "sub with an escape sequence": a_token(sub="\x1b[2Jdr-hamada"),
    "sub that runs backwards": a_token(sub="dr-\u202eadamah"),
    "sub with half a character": made(json.dumps(CLAIMS).replace("dr-hamada", "\\ud800").encode()),
    "sub of 201 characters": a_token(sub="x" * 201),
    "jti with a control character": a_token(jti="\x07"),
    "client_id that is a list": a_token(client_id=["hospital-viewer"]),
    "client_id empty": a_token(client_id=""),
    "acr that is a list": a_token(acr=["2"]),
    "amr that is text": a_token(amr="mfa"),
    "bound to a key, borne alone": a_token(cnf={"jkt": OURS.thumbprint()}),
    "bound to a certificate": a_token(cnf={"x5t#S256": OURS.thumbprint()}),
    "bound to nothing": a_token(cnf={}),
    "bound to null": a_token(cnf=None),
    "bound to a list": a_token(cnf=[OURS.thumbprint()]),
    "bound to a key that is a number": a_token(cnf={"jkt": 1}),
    "role unknown": a_token(role="SUPERUSER"),
    "role in small letters": a_token(role="clinician"),
    "role that is a list": a_token(role=["CLINICIAN"]),
    "facility of nine digits": a_token(facility="131987654"),
    "facility of eleven digits": a_token(facility="13198765430"),
    "facility in full width": a_token(facility="１３１９８７６５４３"),
    "facility with a line break": a_token(facility=f"{HOSPITAL}\n"),
    "facility that is a number": a_token(facility=int(HOSPITAL)),
    "facility that is a list": a_token(facility=[HOSPITAL]),
    "patient that is no id": a_token(role="PATIENT", patient="hanako"),
    "patient that is a list": a_token(role="PATIENT", patient=[str(PATIENT)]),
    "PATIENT without patient": a_token(role="PATIENT"),
    **{
        f"{role} without facility": made(without("facility", CLAIMS | {"role": role}))
        for role in ("CLINICIAN", "PHARMACIST", "FACILITY_ADMIN", "SYSTEM")
    },
    "CLINICIAN with an empty facility": a_token(facility=""),
}


def test_there_are_enough_attacks_and_no_two_alike() -> None:
    assert len(set(ATTACKS.values())) == len(ATTACKS) >= 100


@pytest.mark.parametrize("token", ATTACKS.values(), ids=ATTACKS)
def test_it_is_refused(identity: Identity, token: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        recognised(identity, token)

    assert "hamada" not in str(refused.value)  # this goes to the log


@pytest.mark.parametrize("route", ["/graphql", "/bundles"])
def test_over_http_every_one_of_them_gets_the_same_answer(post: Post, route: str) -> None:
    with capture_logs() as lines:
        answers = {name: post(route, f"Bearer {token}".encode()) for name, token in ATTACKS.items()}

    uniform = {
        "errors": [{"message": "a valid bearer token is needed", "extensions": {"code": "UNAUTHENTICATED"}}]
    }
    told_apart = {
        name: (answer.status_code, answer.content)
        for name, answer in answers.items()
        if answer.status_code != 401
        or answer.json() != uniform
        or answer.headers["www-authenticate"] != 'Bearer, DPoP algs="ES256 EdDSA Ed25519"'
        or set(answer.headers) != set(answers["empty"].headers)
    }
    assert told_apart == {}
    refused = [line for line in lines if line["event"] == "token_refused"]
    assert len(refused) == len(ATTACKS)
    assert len({line["reason"] for line in refused}) < 40  # kinds, and nothing of theirs


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Basic ZHI6aGFtYWRh",
        GOOD,
        f"Token {GOOD}",
        f"Bearer{GOOD}",
        f"Bearer  {GOOD}",
        f"DPoP {GOOD}",
    ],
    ids=[
        "none",
        "empty",
        "no token",
        "basic",
        "no scheme",
        "another scheme",
        "no blank",
        "two blanks",
        "the scheme of bound tokens",
    ],  # fmt: skip
)
def test_what_is_no_bearer_token_gets_that_answer_too(post: Post, authorization: str | None) -> None:
    answer = post("/graphql", None if authorization is None else authorization.encode())

    assert answer.status_code == 401
    assert answer.content == post("/graphql", b"Bearer garbage").content
