"""Who is recognised: tokens that are remembered, a second factor where it is asked for, keys of this machine."""

import asyncio
import json
from pathlib import Path

import pytest
from joserfc.jwk import Key
from starlette.requests import HTTPConnection

from edge_examples import posting
from examples import HOSPITAL, PATIENT
from proof_examples import BORNE, BOUND, a_proof
from token_examples import (
    CLAIMS,
    GOOD,
    ISSUER,
    NOW,
    ORIGIN,
    OURS,
    PUBLIC,
    Post,
    a_token,
    an_identity,
    made,
    recognised,
    without,
)
from tsuzuri.app import identity as identity_module
from tsuzuri.app.access_tokens import TokenPolicy
from tsuzuri.app.edge import EdgeRefused, caller_of
from tsuzuri.app.identity import Identity, Presented, StepUpNeeded, identity_of
from tsuzuri.app.proofs_seen import ProofsSeen
from tsuzuri.app.settings import Settings, SettingsWrong, read_settings
from tsuzuri.app.signed import TokenRefused
from tsuzuri.app.tokens import development_key, development_token
from tsuzuri.domain.vocabulary import Role

# --- tokens that are remembered


class Counting:
    """Our keys, how often one was looked for, and whether they changed. Implements TokenKeys."""

    def __init__(self) -> None:
        self.looked, self.version = 0, 0

    def standing(self) -> int | None:
        return self.version

    async def key(self, kid: str) -> Key:
        self.looked += 1
        return OURS


class Clock:
    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def remembering(keys: Counting, clock: Clock) -> Identity:
    settings = read_settings({"TSUZURI_MODE": "development", "TSUZURI_ISSUER": ISSUER})
    return Identity(keys, TokenPolicy.of(settings), ProofsSeen(), ORIGIN, clock)


def test_the_same_token_is_checked_once_until_it_ends() -> None:
    keys, clock = Counting(), Clock(NOW)
    identity = remembering(keys, clock)

    assert recognised(identity, GOOD) is recognised(identity, GOOD)
    assert keys.looked == 1

    clock.at = NOW + 3_000
    with pytest.raises(TokenRefused):
        recognised(identity, GOOD)


def test_when_the_keys_change_every_token_is_checked_anew() -> None:
    keys = Counting()
    identity = remembering(keys, Clock(NOW))
    recognised(identity, GOOD)

    keys.version += 1
    recognised(identity, GOOD)

    assert keys.looked == 2


def test_a_token_that_was_refused_is_not_remembered_and_one_letter_more_is_another() -> None:
    keys = Counting()
    identity = remembering(keys, Clock(NOW))
    recognised(identity, GOOD)

    for _ in range(2):
        with pytest.raises(TokenRefused):
            recognised(identity, GOOD[:-4] + "AAAA")

    assert keys.looked == 3


def test_no_more_tokens_are_remembered_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_module, "TOKENS_REMEMBERED_MAX", 3)
    keys = Counting()
    identity = remembering(keys, Clock(NOW))
    tokens = [a_token(jti=f"session-{n}") for n in range(4)]

    for token in tokens:
        recognised(identity, token)
    assert keys.looked == 4
    recognised(identity, tokens[3])
    assert keys.looked == 4
    recognised(identity, tokens[0])  # the oldest made room
    assert keys.looked == 5


# --- a second factor (RFC 9470)

STAFF = frozenset({Role.CLINICIAN, Role.PHARMACIST, Role.FACILITY_ADMIN, Role.AUDITOR, Role.OPERATOR})
OF_A_PATIENT = without("facility", CLAIMS) | {"role": "PATIENT", "patient": str(PATIENT)}


def strict(**more: str) -> Identity:
    """As in production."""
    policy = TokenPolicy.of(read_settings({"TSUZURI_TOKEN_MINUTES": "60", **more}))
    return an_identity(
        second_factor=policy.second_factor, acr_values=policy.acr_values, amr_values=policy.amr_values
    )


@pytest.mark.parametrize("role", sorted(STAFF))
def test_in_production_staff_signs_in_with_a_second_factor(role: Role) -> None:
    once = a_token(role=role.value)

    with pytest.raises(StepUpNeeded):
        recognised(strict(), once)
    for amr in (["pwd"], [], ["MFA"], [7], [["mfa"]]):
        with pytest.raises(StepUpNeeded):
            recognised(strict(), a_token(role=role.value, amr=amr))
    assert recognised(strict(), a_token(role=role.value, amr=["pwd", "otp", "mfa"])).role is role


def test_patients_do_where_the_operator_asks_it_and_systems_never() -> None:
    patients = made(OF_A_PATIENT)

    assert recognised(strict(), patients).patient == PATIENT
    with pytest.raises(StepUpNeeded):
        recognised(strict(TSUZURI_SECOND_FACTOR="all"), patients)
    assert recognised(strict(TSUZURI_SECOND_FACTOR="all"), BORNE).role is Role.SYSTEM
    assert recognised(strict(TSUZURI_SECOND_FACTOR="none"), GOOD).role is Role.CLINICIAN


def test_what_counts_as_one_is_for_the_operator_to_say() -> None:
    by_acr = strict(TSUZURI_ACR="urn:example:two urn:example:three")

    assert recognised(by_acr, a_token(acr="urn:example:three"))
    for claims in (
        {"acr": "urn:example:one"},
        {"acr": "urn:example:two urn:example:three"},
        {"amr": ["mfa"]},
    ):
        with pytest.raises(StepUpNeeded):
            recognised(by_acr, a_token(**claims))
    assert recognised(strict(TSUZURI_AMR="hwk sc"), a_token(amr=["sc"]))


def test_a_remembered_token_is_asked_for_its_second_factor_each_time() -> None:
    identity = strict()

    for _ in range(2):
        with pytest.raises(StepUpNeeded):
            recognised(identity, GOOD)


@pytest.fixture(scope="module")
def strict_post(guarded: Settings) -> Post:
    return posting(Settings(**vars(guarded) | {"second_factor": "staff", "acr_values": ("urn:example:two",)}))


def test_over_http_who_must_sign_in_more_strongly_is_told_how(strict_post: Post) -> None:
    answer = strict_post("/graphql", f"Bearer {GOOD}".encode())

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "INSUFFICIENT_USER_AUTHENTICATION"
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer error="insufficient_user_authentication"')
    assert challenge.endswith('acr_values="urn:example:two"')


def test_whoever_has_no_good_token_is_told_nothing_of_it(strict_post: Post) -> None:
    answer = strict_post("/graphql", f"Bearer {a_token(exp=NOW)}".encode())

    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "acr" not in answer.headers["www-authenticate"]


# --- production takes nothing of this machine


def production(home: Path, keys: object) -> Settings:
    (home / "jwks.json").write_text(json.dumps(keys))
    return read_settings(
        {
            "TSUZURI_HOME": str(home),
            "TSUZURI_JWKS_FILE": str(home / "jwks.json"),
            "TSUZURI_ISSUER": ISSUER,
            "TSUZURI_PUBLIC_URL": ORIGIN,
            "TSUZURI_TOKEN_MINUTES": "720",
        }
    )


def of_this_machine(home: Path) -> tuple[dict[str, object], str]:
    """The public half of the development key in *home*, and a good token that it signed, for production."""
    developing = read_settings(
        {"TSUZURI_HOME": str(home), "TSUZURI_MODE": "development", "TSUZURI_ISSUER": ISSUER}
    )
    key = development_key(developing)
    public: dict[str, object] = dict(key.as_dict(private=False))
    return public, development_token(developing, role=Role.PATIENT, person="hanako", patient=PATIENT)


def test_production_refuses_a_development_token_though_its_home_holds_the_key(tmp_path: Path) -> None:
    _, token = of_this_machine(tmp_path)

    with pytest.raises(TokenRefused):
        recognised(identity_of(production(tmp_path, PUBLIC)), token)


def test_even_when_somebody_put_that_key_among_the_issuers(tmp_path: Path) -> None:
    public, token = of_this_machine(tmp_path)
    among = {"keys": [*PUBLIC["keys"], public]}

    identity = identity_of(production(tmp_path, among))

    with pytest.raises(TokenRefused):
        recognised(identity, token)
    assert recognised(identity, made(OF_A_PATIENT | {"exp": NOW + 600}))
    with pytest.raises(SettingsWrong, match="TSUZURI_JWKS_FILE"):
        identity_of(production(tmp_path, {"keys": [public]}))
    # the same key would count, were it not that of this home
    (tmp_path / "elsewhere").mkdir()
    assert recognised(identity_of(production(tmp_path / "elsewhere", among)), token)


def test_an_issuer_is_named_once(tmp_path: Path) -> None:
    settings = production(tmp_path, PUBLIC)
    both = Settings(
        **vars(settings) | {"discovery": "https://issuer.example/.well-known/openid-configuration"}
    )

    with pytest.raises(SettingsWrong, match="give one of them"):
        identity_of(both)


def test_where_systems_prove_their_tokens_our_address_must_be_known(tmp_path: Path) -> None:
    settings = Settings(**vars(production(tmp_path, PUBLIC)) | {"public_url": None})

    with pytest.raises(SettingsWrong, match="TSUZURI_PUBLIC_URL is not set"):
        identity_of(settings)
    assert identity_of(Settings(**vars(settings) | {"system_tokens_bound": False}))


def test_who_calls_outside_of_http_bears_a_token_alone() -> None:
    assert asyncio.run(caller_of(Presented.bearer(GOOD), an_identity())).facility == HOSPITAL
    for token in (BOUND, "", "\udc80"):
        with pytest.raises(EdgeRefused) as refused:
            asyncio.run(caller_of(Presented.bearer(token), an_identity()))
        assert (refused.value.status, refused.value.code) == (401, "UNAUTHENTICATED")


def test_a_websocket_shows_what_a_get_would() -> None:
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "headers": [(b"authorization", f"DPoP {BOUND}".encode()), (b"dpop", a_proof(htm="GET").encode())],
    }

    with pytest.raises(EdgeRefused) as refused:
        asyncio.run(caller_of(HTTPConnection(scope), an_identity(now=lambda: NOW)))

    assert refused.value.code == "IDENTITY_UNAVAILABLE"  # it holds, and could not be counted
