"""Who calls is what a token says, once it has been checked whole: forged ones get one answer, whatever is wrong."""

import asyncio
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from examples import CLINIC, HOSPITAL, PATIENT
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings, SettingsWrong, read_settings
from tsuzuri.app.tokens import (
    LIFETIME_SECONDS_MAX,
    TOKEN_BYTES_MAX,
    DevelopmentOnly,
    TokenChecker,
    TokenRefused,
    development_token,
    token_checker,
)
from tsuzuri.domain.callers import Caller, IncompleteCaller
from tsuzuri.domain.vocabulary import Role

ISSUER, AUDIENCE = "https://issuer.example", "tsuzuri"
NOW = int(time.time())
OURS = ECKey.generate_key("P-256", {"kid": "ours"})
OURS_TOO = RSAKey.generate_key(2048, {"kid": "ours-too"})
THEIRS = ECKey.generate_key("P-256", {"kid": "ours"})  # a stranger's key under our key's name
PUBLIC: Any = {"keys": [OURS.as_dict(private=False), OURS_TOO.as_dict(private=False)]}

HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "ours"}
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "dr-hamada",
    "iat": NOW,
    "exp": NOW + 600,
    "jti": "session-1",
    "role": "CLINICIAN",
    "facility": HOSPITAL,
}
REQUIRED = ("iss", "aud", "sub", "exp", "iat", "jti", "role")

Signer = Callable[[bytes], bytes]


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


def with_secret(secret: bytes) -> Signer:
    return lambda text: hmac.digest(secret, text, sha256)


def made(claims: object, header: object = HEADER, sign: Signer | None = None) -> str:
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded((sign or by(OURS))(text.encode()))}"


def a_token(**changes: object) -> str:
    return made(CLAIMS | changes)


def headed(**changes: object) -> str:
    return made(CLAIMS, HEADER | changes)


def without(name: str, of: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in of.items() if key != name}


def doubled(name: str, second: object) -> str:
    """A payload that names one claim twice."""
    return made(f'{json.dumps(CLAIMS)[:-1]}, "{name}": {json.dumps(second)}}}'.encode())


def public_pem(key: ECKey | RSAKey) -> bytes:
    return key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hmac_header(kid: str) -> dict[str, str]:
    return {"alg": "HS256", "typ": "at+jwt", "kid": kid}


GOOD = a_token()
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
    "a byte longer than may be": "A" * (TOKEN_BYTES_MAX + 1),
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
    "unencoded payload": headed(b64=False, crit=["b64"]),
    "header that is a list": made(CLAIMS, b"[]"),
    "header nested deeply": made(CLAIMS, b"[" * 3_000),
    "header of four kilobytes": headed(more="x" * 4_000),
    # the claims
    "claims that are a list": made(b"[]"),
    "claims that are a text": made(b'"dr-hamada"'),
    "claims that are not JSON": made(b"{"),
    "claims that are not UTF-8": made(b'{"sub": "\xff"}'),
    "claims nested deeply": made(b"[" * 5_000),
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
    "expired": a_token(iat=NOW - 7_200, exp=NOW - 3_600),
    "expired this second": a_token(iat=NOW - 600, exp=NOW),
    "not yet valid": a_token(nbf=NOW + 300),
    "issued in the future": a_token(iat=NOW + 300, exp=NOW + 600),
    "valid for too long": a_token(exp=NOW + LIFETIME_SECONDS_MAX + 60),
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


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Development mode, with the keys of an issuer: as open as it gets while tokens come from outside."""
    folder = tmp_path_factory.mktemp("issuer")
    (folder / "jwks.json").write_text(json.dumps(PUBLIC))
    return read_settings(
        {
            "TSUZURI_MODE": "development",
            "TSUZURI_HOME": str(folder / "home"),
            "TSUZURI_JWKS_FILE": str(folder / "jwks.json"),
            "TSUZURI_ISSUER": ISSUER,
            "TSUZURI_AUDIENCE": AUDIENCE,
        }
    )


@pytest.fixture(scope="module")
def checker(guarded: Settings) -> TokenChecker:
    return token_checker(guarded)


Post = Callable[[str, bytes | None], httpx.Response]


@pytest.fixture(scope="module")
def post(guarded: Settings) -> Post:
    """POST something that is not JSON under an Authorization header. The database is never asked: there is none."""
    server = httpx.ASGITransport(build_server(guarded, "host=/nowhere"))

    async def answered(route: str, authorization: bytes | None) -> httpx.Response:
        headers = {} if authorization is None else {b"Authorization": authorization}
        async with httpx.AsyncClient(transport=server, base_url="http://tsuzuri") as client:
            return await client.post(route, content=b"not JSON", headers=headers)

    return lambda route, authorization: asyncio.run(answered(route, authorization))


def clock(at: float) -> TokenChecker:
    return TokenChecker(KeySet.import_key_set(PUBLIC), ISSUER, AUDIENCE, now=lambda: at)


# --- forged tokens


def test_there_are_enough_attacks_and_no_two_alike() -> None:
    assert len(set(ATTACKS.values())) == len(ATTACKS) >= 40


@pytest.mark.parametrize("token", ATTACKS.values(), ids=ATTACKS)
def test_the_checker_refuses_it(checker: TokenChecker, token: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        checker.caller(token)

    assert "hamada" not in str(refused.value)  # this goes to the log


@pytest.mark.parametrize("route", ["/graphql", "/bundles"])
def test_over_http_every_one_of_them_gets_the_same_answer(post: Post, route: str) -> None:
    answers = {name: post(route, f"Bearer {token}".encode()) for name, token in ATTACKS.items()}

    uniform = {
        "errors": [{"message": "a valid bearer token is needed", "extensions": {"code": "UNAUTHENTICATED"}}]
    }
    told_apart = {
        name: (answer.status_code, answer.content)
        for name, answer in answers.items()
        if answer.status_code != 401
        or answer.json() != uniform
        or answer.headers["www-authenticate"] != "Bearer"
        or set(answer.headers) != set(answers["empty"].headers)
    }
    assert told_apart == {}


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Basic ZHI6aGFtYWRh", GOOD, f"Token {GOOD}", f"Bearer{GOOD}", f"Bearer  {GOOD}"],
    ids=["none", "empty", "no token", "basic", "no scheme", "another scheme", "no blank", "two blanks"],
)
def test_what_is_no_bearer_token_gets_that_answer_too(post: Post, authorization: str | None) -> None:
    answer = post("/graphql", None if authorization is None else authorization.encode())

    assert answer.status_code == 401
    assert answer.content == post("/graphql", b"Bearer garbage").content


# --- good tokens


def test_a_good_token_says_who_calls(checker: TokenChecker) -> None:
    assert checker.caller(GOOD) == Caller(
        person="dr-hamada", role=Role.CLINICIAN, facility=HOSPITAL, session="session-1"
    )


def test_a_patients_token_says_which_patient_she_is(checker: TokenChecker) -> None:
    token = made(without("facility", CLAIMS) | {"role": "PATIENT", "patient": str(PATIENT)})

    assert checker.caller(token).patient == PATIENT


@pytest.mark.parametrize("role", ["AUDITOR", "OPERATOR"])
def test_who_belongs_to_no_facility_needs_none(checker: TokenChecker, role: str) -> None:
    assert checker.caller(made(without("facility", CLAIMS) | {"role": role})).facility is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_over_http_a_good_token_gets_further(post: Post, scheme: str) -> None:
    answer = post("/graphql", f"{scheme} {GOOD}".encode())

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_BODY"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_an_access_token_may_name_its_type_in_full(checker: TokenChecker, typ: str) -> None:
    assert checker.caller(headed(typ=typ))


def test_a_token_for_several_services_is_for_us_too(checker: TokenChecker) -> None:
    assert checker.caller(a_token(aud=["another-service", AUDIENCE]))


def test_a_name_may_be_japanese(checker: TokenChecker) -> None:
    assert checker.caller(a_token(sub="濱田医師")).person == "濱田医師"


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("ES256", ECKey.generate_key("P-256", {"kid": "k"})),
        ("RS256", RSAKey.generate_key(2048, {"kid": "k"})),
        pytest.param(
            "EdDSA",
            OKPKey.generate_key("Ed25519", {"kid": "k"}),
            marks=pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
        ),
    ],
)
def test_the_issuer_may_sign_with_any_of_three_algorithms(alg: str, key: Any) -> None:
    keys = KeySet.import_key_set({"keys": [key.as_dict(private=False)]})
    token = jwt.encode({"alg": alg, "typ": "at+jwt", "kid": "k"}, CLAIMS, key, algorithms=[alg])

    assert TokenChecker(keys, ISSUER, AUDIENCE).caller(token).person == "dr-hamada"


# --- time


def test_a_token_ends_at_its_second_and_not_later() -> None:
    exp = NOW + 600

    assert clock(exp - 0.001).caller(GOOD)
    with pytest.raises(TokenRefused):
        clock(exp).caller(GOOD)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_clocks_that_differ_by_a_few_seconds_are_forgiven(claim: str) -> None:
    token = a_token(**{claim: NOW + 5})

    assert clock(NOW).caller(token)
    with pytest.raises(TokenRefused):
        clock(NOW - 1).caller(token)


def test_a_token_lives_for_twelve_hours_at_most(checker: TokenChecker) -> None:
    assert checker.caller(a_token(exp=NOW + LIFETIME_SECONDS_MAX))
    with pytest.raises(TokenRefused):
        checker.caller(a_token(exp=NOW + LIFETIME_SECONDS_MAX + 1))


# --- development tokens


def at_home(home: Path, **more: str) -> Settings:
    return read_settings({"TSUZURI_HOME": str(home)} | more)


def test_in_development_a_local_token_says_who_calls(tmp_path: Path) -> None:
    settings = at_home(tmp_path, TSUZURI_MODE="development")
    token = development_token(settings, role=Role.CLINICIAN, person="dr-hamada", facility=HOSPITAL)

    caller = token_checker(settings).caller(token)

    assert (caller.person, caller.role, caller.facility) == ("dr-hamada", Role.CLINICIAN, HOSPITAL)


def test_only_its_owner_reads_the_local_key(tmp_path: Path) -> None:
    settings = at_home(tmp_path, TSUZURI_MODE="development")
    development_token(settings, role=Role.AUDITOR, person="auditor-abe")

    (key,) = (tmp_path / "keys").iterdir()

    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700


def test_another_homes_development_token_is_forged(tmp_path: Path) -> None:
    mine = at_home(tmp_path / "mine", TSUZURI_MODE="development")
    token = development_token(
        at_home(tmp_path / "yours", TSUZURI_MODE="development"), role=Role.AUDITOR, person="auditor-abe"
    )

    with pytest.raises(TokenRefused):
        token_checker(mine).caller(token)


def test_production_makes_no_development_tokens(tmp_path: Path) -> None:
    with pytest.raises(DevelopmentOnly, match="TSUZURI_MODE=development"):
        development_token(at_home(tmp_path), role=Role.OPERATOR, person="operator-ono")

    assert not (tmp_path / "keys").exists()


def test_beside_an_issuers_keys_there_are_no_development_tokens(guarded: Settings) -> None:
    with pytest.raises(DevelopmentOnly, match="TSUZURI_JWKS_FILE"):
        development_token(guarded, role=Role.OPERATOR, person="operator-ono")


def test_a_development_token_made_earlier_is_worth_nothing_once_an_issuers_keys_are_given(
    tmp_path: Path,
) -> None:
    before = at_home(tmp_path, TSUZURI_MODE="development")
    token = development_token(before, role=Role.AUDITOR, person="auditor-abe")
    assert token_checker(before).caller(token)

    (tmp_path / "jwks.json").write_text(json.dumps(PUBLIC))
    after = at_home(tmp_path, TSUZURI_MODE="development", TSUZURI_JWKS_FILE=str(tmp_path / "jwks.json"))

    with pytest.raises(TokenRefused):
        token_checker(after).caller(token)


def test_production_without_an_issuers_keys_recognises_nobody_and_says_so(tmp_path: Path) -> None:
    development_token(at_home(tmp_path, TSUZURI_MODE="development"), role=Role.AUDITOR, person="auditor-abe")

    with pytest.raises(SettingsWrong, match="TSUZURI_JWKS_FILE is not set"):
        token_checker(at_home(tmp_path))


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.SYSTEM, Role.PATIENT])
def test_a_development_token_that_nobody_could_use_is_not_made(tmp_path: Path, role: Role) -> None:
    with pytest.raises(IncompleteCaller):
        development_token(at_home(tmp_path, TSUZURI_MODE="development"), role=role, person="somebody")


# --- the issuer's keys


def test_production_knows_callers_by_the_issuers_keys(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(PUBLIC))
    settings = at_home(tmp_path, TSUZURI_JWKS_FILE=str(file), TSUZURI_ISSUER=ISSUER)

    caller = token_checker(settings).caller(made(CLAIMS | {"role": "PATIENT", "patient": str(PATIENT)}))

    assert caller.patient == PATIENT


def test_the_issuers_keys_are_not_where_the_setting_says(tmp_path: Path) -> None:
    settings = at_home(tmp_path, TSUZURI_JWKS_FILE=str(tmp_path / "absent.json"))

    with pytest.raises(SettingsWrong, match="TSUZURI_JWKS_FILE: .*absent.json cannot be read"):
        token_checker(settings)


@pytest.mark.parametrize("content", ["", "{", "\xff", '{"keys": [{"kty": "rubbish"}]}'])
def test_what_is_not_a_key_set_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(content.encode("latin-1"))

    with pytest.raises(SettingsWrong, match="TSUZURI_JWKS_FILE: the file is not a JSON Web Key Set"):
        token_checker(at_home(tmp_path, TSUZURI_JWKS_FILE=str(file)))
