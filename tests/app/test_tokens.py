"""Who calls is what a good token says, for as long as it lasts."""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from examples import HOSPITAL, PATIENT
from token_examples import AUDIENCE, CLAIMS, GOOD, ISSUER, NOW, PUBLIC, Post, a_token, headed, made, without
from tsuzuri.app.tokens import LIFETIME_SECONDS_MAX, TokenChecker, TokenRefused
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.scopes import Scope
from tsuzuri.domain.vocabulary import Role


def clock(at: float) -> TokenChecker:
    return TokenChecker(KeySet.import_key_set(PUBLIC), ISSUER, AUDIENCE, now=lambda: at)


# --- good tokens


def test_a_good_token_says_who_calls(checker: TokenChecker) -> None:
    assert checker.caller(GOOD) == Caller(
        person="dr-hamada", role=Role.CLINICIAN, facility=HOSPITAL, session="session-1"
    )


def test_a_token_says_what_may_be_read_with_it_and_nothing_when_it_says_nothing(
    checker: TokenChecker,
) -> None:
    scoped = checker.caller(a_token(scope="openid user/Condition.rs launch"))

    assert scoped.scopes == {Scope("user", "Condition", frozenset("rs"))}
    assert checker.caller(GOOD).scopes == frozenset()


@pytest.mark.parametrize("scope", [["user/*.rs"], 7, {"user/*.rs": True}])
def test_a_scope_claim_that_is_no_text_is_refused(checker: TokenChecker, scope: object) -> None:
    with pytest.raises(TokenRefused):
        checker.caller(a_token(scope=scope))


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
    exp = NOW + 3_000

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
