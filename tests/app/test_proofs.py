"""A token that is bound to a key is worth nothing without a proof for this very request (DPoP, RFC 9449)."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from examples import CLINIC, HOSPITAL
from proof_examples import ANOTHERS, BORNE, BOUND, KEY, URL, a_proof, ath, proof_claims, proof_header
from token_examples import GOOD, NOW, ORIGIN, a_token, an_identity, by, made, without
from tsuzuri.app.identity import Identity, Presented
from tsuzuri.app.proofs import PROOF_SECONDS, Proof, check_proof
from tsuzuri.app.proofs_seen import StoreUnavailable
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings
from tsuzuri.app.signed import TokenRefused


def checked(*shown: str, now: float = NOW, method: str = "POST", address: str = URL) -> Proof:
    return check_proof(shown, token=BOUND, jkt=KEY.thumbprint(), method=method, address=address, now=now)


# --- proofs that hold


def test_a_proof_holds_for_its_request_and_no_two_are_alike() -> None:
    assert checked(a_proof()) != checked(a_proof())


def test_a_proof_is_known_by_its_key_and_its_id() -> None:
    assert checked(a_proof(jti="one")) == checked(a_proof(jti="one", iat=NOW - 1))


@pytest.mark.parametrize(
    "htu",
    [
        URL,
        "HTTPS://RECORDS.EXAMPLE/graphql",
        "https://records.example:443/graphql",
        f"{URL}?query=1",
        f"{URL}#part",
    ],
    ids=["as it is", "large letters", "the usual port", "with a query", "with a fragment"],
)
def test_an_address_may_be_written_in_several_ways(htu: str) -> None:
    assert checked(a_proof(htu=htu))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_a_system_may_hold_an_edwards_key(alg: str) -> None:
    key = OKPKey.generate_key("Ed25519")
    private: Any = key.private_key
    header = {"typ": "dpop+jwt", "alg": alg, "jwk": key.as_dict(private=False)}
    proof = made(proof_claims(), header, private.sign)

    assert check_proof([proof], token=BOUND, jkt=key.thumbprint(), method="POST", address=URL, now=NOW)


def test_a_proof_counts_for_a_minute() -> None:
    assert checked(a_proof(), now=NOW + PROOF_SECONDS)
    assert checked(a_proof(), now=NOW - 5)
    for moment in (NOW + PROOF_SECONDS + 1, NOW - 6):
        with pytest.raises(TokenRefused):
            checked(a_proof(), now=moment)


# --- proofs that do not

RSA = RSAKey.generate_key(2048)
SIGNED, _, _ = a_proof().rpartition(".")

ATTACKS: dict[str, tuple[str, ...]] = {
    "none": (),
    "two": (a_proof(), a_proof()),
    "empty": ("",),
    "garbage": ("garbage",),
    "the token itself": (BOUND,),
    "nine kilobytes": (a_proof(more="x" * 6_500),),
    "no signature": (f"{SIGNED}.",),
    "another's signature": (made(proof_claims(), proof_header(), by(ANOTHERS)),),
    "another's key": (a_proof(key=ANOTHERS),),
    "another's key under our signature": (made(proof_claims(), proof_header(ANOTHERS), by(KEY)),),
    "a good one and another's beside it": (f"{a_proof()}, {a_proof(key=ANOTHERS)}",),
    "typ of a token": (a_proof(header=proof_header(typ="at+jwt")),),
    "no typ": (a_proof(header=without("typ", proof_header())),),
    "typ that is a list": (a_proof(header=proof_header(typ=["dpop+jwt"])),),
    "alg none": (made(proof_claims(), proof_header(alg="none"), lambda _: b"x"),),
    "alg HS256 with a secret of its own": (
        a_proof(header={"typ": "dpop+jwt", "alg": "HS256", "jwk": OctKey.generate_key(256).as_dict()}),
    ),
    "an RSA key": (
        a_proof(header={"typ": "dpop+jwt", "alg": "RS256", "jwk": RSA.as_dict(private=False)}),
    ),
    "a key of another curve": (
        a_proof(header=proof_header(jwk=ECKey.generate_key("P-384").as_dict(private=False))),
    ),
    "its private key": (a_proof(header=proof_header(jwk=KEY.as_dict(private=True))),),
    "no jwk": (a_proof(header=without("jwk", proof_header())),),
    "only a kid": (a_proof(header=without("jwk", proof_header()) | {"kid": "ours"}),),
    "jwk that is a list": (a_proof(header=proof_header(jwk=[KEY.as_dict(private=False)])),),
    "jwk of nothing": (a_proof(header=proof_header(jwk={})),),
    "jwk whose kty is a list": (a_proof(header=proof_header(jwk={"kty": ["EC"]})),),
    "a point off the curve": (
        a_proof(header=proof_header(jwk={"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"})),
    ),
    "jwk behind a jku": (a_proof(header=without("jwk", proof_header()) | {"jku": "https://evil.example"}),),
    "crit": (a_proof(header=proof_header(crit=["jwk"])),),
    "header with its jwk twice": (
        made(
            proof_claims(),
            json.dumps(proof_header(ANOTHERS))[:-1].encode()
            + b', "jwk": '
            + json.dumps(KEY.as_dict(private=False)).encode()
            + b"}",
            by(KEY),
        ),
    ),
    "header of three kilobytes": (a_proof(header=proof_header(more="x" * 3_000)),),
    "claims that are a list": (made([], proof_header(), by(KEY)),),
    "claims nested deeply": (made(b"[" * 5_000, proof_header(), by(KEY)),),
    "jti twice": (
        made(json.dumps(proof_claims())[:-1].encode() + b', "jti": "x"}', proof_header(), by(KEY)),
    ),
    **{
        f"no {name}": (made(without(name, proof_claims()), proof_header(), by(KEY)),)
        for name in ("jti", "htm", "htu", "iat", "ath")
    },
    "of another method": (a_proof(htm="GET"),),
    "of a method in small letters": (a_proof(htm="post"),),
    "of another route": (a_proof(htu=f"{ORIGIN}/bundles"),),
    "of another host": (a_proof(htu="https://evil.example/graphql"),),
    "of a host that begins like ours": (a_proof(htu="https://records.example.evil.example/graphql"),),
    "of the Host that was sent": (a_proof(htu="http://tsuzuri/graphql"),),
    "without TLS": (a_proof(htu="http://records.example/graphql"),),
    "of another port": (a_proof(htu="https://records.example:8443/graphql"),),
    "of a path in large letters": (a_proof(htu=f"{ORIGIN}/GraphQL"),),
    "of our host behind a name": (a_proof(htu="https://records.example@evil.example/graphql"),),
    "of a name at our host": (a_proof(htu="https://evil@records.example/graphql"),),
    "of a port that is none": (a_proof(htu="https://records.example:x/graphql"),),
    "htu that is a list": (a_proof(htu=[URL]),),
    "htu with a line break": (a_proof(htu=f"{URL}\n"),),
    "of another token": (a_proof(ath=ath(BORNE)),),
    "ath with padding": (a_proof(ath=ath(BOUND) + "="),),
    "ath null": (a_proof(ath=None),),
    "of an hour ago": (a_proof(iat=NOW - 3_600),),
    "of tomorrow": (a_proof(iat=NOW + 86_400),),
    "iat as text": (a_proof(iat=str(NOW)),),
    "iat as true": (a_proof(iat=True),),
    "iat infinite": (a_proof(iat=float("inf")),),
    "jti empty": (a_proof(jti=""),),
    "jti a number": (a_proof(jti=7),),
    "jti of 201 characters": (a_proof(jti="x" * 201),),
}  # fmt: skip


def test_there_are_enough_attacks_and_no_two_alike() -> None:
    assert len(set(ATTACKS.values())) == len(ATTACKS) >= 60


@pytest.mark.parametrize("shown", ATTACKS.values(), ids=ATTACKS)
def test_it_proves_nothing(shown: tuple[str, ...]) -> None:
    with pytest.raises(TokenRefused) as refused:
        checked(*shown)

    assert "clinic" not in str(refused.value)  # this goes to the log


# --- over HTTP, without a database: only what holds gets as far as being counted


Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def ask(guarded: Settings) -> Ask:
    """The answer to a POST under a token and proofs."""
    public = Settings(**vars(guarded) | {"public_url": ORIGIN, "system_tokens_bound": True})
    server = httpx.ASGITransport(build_server(public, "host=/nowhere"))

    async def answered(headers: list[tuple[str, str]]) -> httpx.Response:
        async with httpx.AsyncClient(transport=server, base_url="http://tsuzuri") as client:
            return await client.post("/graphql", content=b"not JSON", headers=headers)

    def asked(token: str, *proofs: str, scheme: str = "DPoP") -> httpx.Response:
        shown = [("DPoP", proof) for proof in proofs]
        return asyncio.run(answered([("Authorization", f"{scheme} {token}"), *shown]))

    return asked


def _same_for_all(answer: httpx.Response) -> dict[str, str]:
    """The headers but the one that is each request's own."""
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


def test_over_http_every_one_of_them_gets_the_same_answer(ask: Ask) -> None:
    uniform = ask("garbage")
    assert (uniform.status_code, uniform.json()["errors"][0]["extensions"]["code"]) == (
        401,
        "UNAUTHENTICATED",
    )

    told_apart = {
        name: (answer.status_code, answer.content)
        for name, shown in ATTACKS.items()
        if (answer := ask(BOUND, *shown)).content != uniform.content
        or answer.status_code != 401
        or _same_for_all(answer) != _same_for_all(uniform)
    }

    assert told_apart == {}


def test_a_proof_that_cannot_be_counted_is_not_taken_and_it_is_not_the_callers_fault(
    ask: Ask,
) -> None:
    answer = ask(
        BOUND, a_proof(iat=int(time.time()))
    )  # this server asks the real clock, and NOW was a while ago

    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "IDENTITY_UNAVAILABLE"
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("scheme", "token"),
    [
        ("Bearer", BOUND),
        ("DPoP", GOOD),
        ("Bearer", BORNE),
        ("DPoP", a_token(cnf={"jkt": KEY.thumbprint(), "x5t#S256": "x"})),
    ],
    ids=["stolen and borne", "bound to nothing", "a system's that anybody could bear", "bound twice"],
)
def test_a_good_proof_does_not_mend_a_token(ask: Ask, scheme: str, token: str) -> None:
    answer = ask(token, a_proof(ath=ath(token)), scheme=scheme)

    assert (answer.status_code, answer.content) == (401, ask("garbage").content)


# --- whose tokens must be bound


def presented(token: str, scheme: str, *proofs: str) -> Presented:
    return Presented((f"{scheme} {token}",), proofs, "POST", "/graphql")


def known(identity: Identity, *what: str) -> object:
    return asyncio.run(identity.caller(presented(*what)))


def test_a_system_bears_its_token_where_the_operator_says_so() -> None:
    assert known(an_identity(), BORNE, "Bearer")
    with pytest.raises(TokenRefused, match="anybody could bear"):
        known(an_identity(system_tokens_bound=True), BORNE, "Bearer")


def test_whoever_has_a_bound_token_proves_it() -> None:
    doctors = a_token(cnf={"jkt": KEY.thumbprint()})

    for proofs in ((), (a_proof(),)):
        with pytest.raises(TokenRefused):
            known(an_identity(), doctors, "DPoP", *proofs)
    with pytest.raises(StoreUnavailable):  # that far it gets
        known(an_identity(), doctors, "DPoP", a_proof(ath=ath(doctors)))


def test_a_proof_is_checked_each_time_though_its_token_is_known_by_now() -> None:
    identity = an_identity()
    with pytest.raises(StoreUnavailable):
        known(identity, BOUND, "DPoP", a_proof())

    with pytest.raises(TokenRefused):
        known(identity, BOUND, "DPoP", a_proof(htm="GET"))


def test_what_goes_on_shows_its_token_and_needs_no_second_proof() -> None:
    caller = asyncio.run(an_identity().still_caller(presented(BOUND, "DPoP")))

    assert caller.facility == CLINIC != HOSPITAL


def test_a_header_can_be_read_in_one_way_only() -> None:
    asked = Presented.by([(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")], "GET", b"/")

    with pytest.raises(TokenRefused):
        asyncio.run(an_identity().caller(asked))
