"""Who calls is what a good token says, for as long as it lasts."""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from examples import HOSPITAL, PATIENT
from token_examples import (
    AUDIENCE,
    CLAIMS,
    GOOD,
    NOW,
    Post,
    a_token,
    an_identity,
    headed,
    made,
    recognised,
    without,
)
from tsuzuri.app.identity import Identity
from tsuzuri.app.signed import TokenRefused
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.scopes import Scope
from tsuzuri.domain.vocabulary import Role

TWELVE_HOURS = 12 * 3_600


def clock(at: float) -> Identity:
    return an_identity(now=lambda: at)


# --- good tokens


def test_a_good_token_says_who_calls(identity: Identity) -> None:
    assert recognised(identity, GOOD) == Caller(
        person="dr-hamada",
        role=Role.CLINICIAN,
        facility=HOSPITAL,
        session="session-1",
        client="hospital-viewer",
    )


def test_a_token_says_what_may_be_read_with_it_and_nothing_when_it_says_nothing(
    identity: Identity,
) -> None:
    scoped = recognised(identity, a_token(scope="openid user/Condition.rs launch"))

    assert scoped.scopes == {Scope("user", "Condition", frozenset("rs"))}
    assert recognised(identity, GOOD).scopes == frozenset()


@pytest.mark.parametrize("scope", [["user/*.rs"], 7, {"user/*.rs": True}])
def test_a_scope_claim_that_is_no_text_is_refused(identity: Identity, scope: object) -> None:
    with pytest.raises(TokenRefused):
        recognised(identity, a_token(scope=scope))


def test_a_patients_token_says_which_patient_she_is(identity: Identity) -> None:
    token = made(without("facility", CLAIMS) | {"role": "PATIENT", "patient": str(PATIENT)})

    assert recognised(identity, token).patient == PATIENT


@pytest.mark.parametrize("role", ["AUDITOR", "OPERATOR"])
def test_who_belongs_to_no_facility_needs_none(identity: Identity, role: str) -> None:
    assert recognised(identity, made(without("facility", CLAIMS) | {"role": role})).facility is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_over_http_a_good_token_gets_further(post: Post, scheme: str) -> None:
    answer = post("/graphql", f"{scheme} {GOOD}".encode())

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_BODY"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_an_access_token_may_name_its_type_in_full(identity: Identity, typ: str) -> None:
    assert recognised(identity, headed(typ=typ))


def test_a_token_for_several_services_is_for_us_too(identity: Identity) -> None:
    assert recognised(identity, a_token(aud=["another-service", AUDIENCE]))


def test_a_name_may_be_japanese(identity: Identity) -> None:
    assert recognised(identity, a_token(sub="濱田医師")).person == "濱田医師"


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("ES256", ECKey.generate_key("P-256", {"kid": "k"})),
        ("RS256", RSAKey.generate_key(2048, {"kid": "k"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "k"})),
        pytest.param(
            "EdDSA",
            OKPKey.generate_key("Ed25519", {"kid": "k"}),
            marks=pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
        ),
    ],
)
def test_the_issuer_may_sign_with_any_of_these_algorithms(alg: str, key: Any) -> None:
    identity = an_identity(keys={"keys": [key.as_dict(private=False)]})
    token = jwt.encode({"alg": alg, "typ": "at+jwt", "kid": "k"}, CLAIMS, key, algorithms=[alg])

    assert recognised(identity, token).person == "dr-hamada"


# --- time


def test_a_token_ends_at_its_second_and_not_later() -> None:
    exp = NOW + 3_000

    assert recognised(clock(exp - 0.001), GOOD)
    with pytest.raises(TokenRefused):
        recognised(clock(exp), GOOD)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_clocks_that_differ_by_a_few_seconds_are_forgiven(claim: str) -> None:
    token = a_token(**{claim: NOW + 5})

    assert recognised(clock(NOW), token)
    with pytest.raises(TokenRefused):
        recognised(clock(NOW - 1), token)


def test_in_development_a_token_lives_for_twelve_hours_at_most(identity: Identity) -> None:
    assert recognised(identity, a_token(exp=NOW + TWELVE_HOURS))
    with pytest.raises(TokenRefused):
        recognised(identity, a_token(exp=NOW + TWELVE_HOURS + 1))
