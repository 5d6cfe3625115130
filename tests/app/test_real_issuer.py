"""The whole way with a real OpenID provider: its good tokens are taken, and whatever is wrong with one is refused."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from edge_examples import BY_KEY, Served
from examples import NUMBER, a_bundle
from issuer_examples import Clock
from npm_packages import NpmAbsent
from provider_examples import AUDIENCE, Provider, System, a_provider, signing_key
from token_examples import ORIGIN
from tsuzuri.app.access_tokens import TokenPolicy
from tsuzuri.app.discovery import Discovery
from tsuzuri.app.identity import Identity, Presented
from tsuzuri.app.issuer_keys import IssuerKeys
from tsuzuri.app.proofs_seen import ProofsSeen
from tsuzuri.app.settings import read_settings
from tsuzuri.app.signed import TokenRefused

BUNDLES, GRAPHQL = f"{ORIGIN}/bundles", f"{ORIGIN}/graphql"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    try:
        with a_provider() as started:
            yield started
    except NpmAbsent as absent:
        pytest.skip(str(absent))


@pytest.fixture(scope="module")
def rules(provider: Provider) -> dict[str, str]:
    """The server asks of tokens what it asks in production."""
    return {
        "TSUZURI_OIDC_DISCOVERY": provider.discovery,
        "TSUZURI_ISSUER": provider.issuer,
        "TSUZURI_AUDIENCE": AUDIENCE,
        "TSUZURI_PUBLIC_URL": ORIGIN,
        "TSUZURI_SYSTEM_TOKENS": "dpop",
        "TSUZURI_SECOND_FACTOR": "staff",
        "TSUZURI_TOKEN_MINUTES": "10",
    }


def registers(served: Served, token: str, *proofs: str, scheme: str = "DPoP") -> httpx.Response:
    headers = [("Authorization", f"{scheme} {token}"), *(("DPoP", proof) for proof in proofs)]
    return served.client.post("/bundles", headers=headers, content=a_bundle())


def asks(served: Served, token: str) -> httpx.Response:
    body = {"query": BY_KEY, "variables": {"key": {"insuredPerson": NUMBER}}}
    return served.client.post("/graphql", headers={"Authorization": f"Bearer {token}"}, json=body)


def code(answer: httpx.Response) -> str:
    told: str = answer.json()["errors"][0]["extensions"]["code"]
    return told


# --- good


def test_a_clinics_system_registers_with_client_credentials_and_proofs(
    served: Served, provider: Provider
) -> None:
    given = provider.system_token(provider.clinic)
    assert given["token_type"] == "DPoP"
    token = given["access_token"]

    first = registers(served, token, provider.clinic.proof("POST", BUNDLES, token))
    second = registers(served, token, provider.clinic.proof("POST", BUNDLES, token))

    assert (first.status_code, second.status_code) == (201, 200)


def test_a_doctor_who_signed_in_with_a_second_factor_is_heard(served: Served, provider: Provider) -> None:
    given = provider.viewer_token("dr-hamada")
    assert given["token_type"] == "Bearer"

    answer = asks(served, given["access_token"])

    assert answer.status_code == 200
    assert (
        answer.json()["data"]["patientRecord"]["__typename"] == "AccessRefused"
    )  # she has consented to nothing


# --- everything else

Shown = tuple[str, tuple[str, ...], str]
Attack = Callable[[Provider], Shown]


def attack(**wrong: Any) -> Attack:
    """A good token under a proof that is wrong in one thing."""

    def shown(provider: Provider) -> Shown:
        token = provider.system_token(provider.clinic)["access_token"]
        proof = {"method": "POST", "address": BUNDLES, "token": token} | wrong
        return token, (provider.clinic.proof(**proof),), "DPoP"

    return shown


def bare(scheme: str) -> Attack:
    return lambda provider: (provider.system_token(provider.clinic)["access_token"], (), scheme)


def by_a_thief(provider: Provider) -> Shown:
    token = provider.system_token(provider.clinic)["access_token"]
    return token, (System("thief").proof("POST", BUNDLES, token),), "DPoP"


def for_somebody_else(provider: Provider) -> Shown:
    token = provider.system_token(provider.clinic, resource="https://another.example")["access_token"]
    return token, (provider.clinic.proof("POST", BUNDLES, token),), "DPoP"


def past_its_time(provider: Provider) -> Shown:
    hasty = provider.systems[2]
    token = provider.system_token(hasty)["access_token"]
    time.sleep(1.5)
    return token, (hasty.proof("POST", BUNDLES, token),), "DPoP"


def the_id_token(provider: Provider) -> Shown:
    return provider.viewer_token("dr-hamada")["id_token"], (), "Bearer"


def that_anybody_could_bear(provider: Provider) -> Shown:
    return provider.system_token(provider.systems[1])["access_token"], (), "Bearer"


ATTACKS: dict[str, Attack] = {
    "without a proof": bare("DPoP"),
    "stolen, and borne without a proof": bare("Bearer"),
    "stolen, with the thief's own proof": by_a_thief,
    "of another address": attack(address=GRAPHQL),
    "of another host": attack(address="https://evil.example/bundles"),
    "of another method": attack(method="GET"),
    "for another token": attack(token="another"),
    "of ten minutes ago": attack(iat=int(time.time()) - 600),
    "past its time": past_its_time,
    "for another service": for_somebody_else,
    "an id token": the_id_token,
    "a system's token that anybody could bear": that_anybody_could_bear,
}


@pytest.mark.parametrize("made", ATTACKS.values(), ids=ATTACKS)
def test_what_is_wrong_is_refused(served: Served, provider: Provider, made: Attack) -> None:
    token, proofs, scheme = made(provider)

    answer = registers(served, token, *proofs, scheme=scheme)

    assert answer.status_code == 401
    assert answer.content == registers(served, "garbage").content


def test_a_proof_that_was_shown_before_is_refused(served: Served, provider: Provider) -> None:
    token = provider.system_token(provider.clinic)["access_token"]
    proof = provider.clinic.proof("POST", BUNDLES, token)

    assert registers(served, token, proof).status_code == 200
    assert registers(served, token, proof).status_code == 401


def test_a_scope_that_the_provider_does_not_know_gives_a_token_without_any_and_no_rights(
    served: Served, provider: Provider
) -> None:
    given = provider.system_token(provider.clinic, "system/Patient.cruds")
    token = given["access_token"]
    assert "scope" not in given

    answer = registers(served, token, provider.clinic.proof("POST", BUNDLES, token))

    assert (answer.status_code, code(answer)) == (403, "FORBIDDEN")


def test_a_doctor_who_signed_in_with_a_password_alone_is_told_what_is_asked(
    served: Served, provider: Provider
) -> None:
    answer = asks(served, provider.viewer_token("dr-hoka")["access_token"])

    assert (answer.status_code, code(answer)) == (401, "INSUFFICIENT_USER_AUTHENTICATION")


# --- the provider changes its keys, and is away, by a clock that we move


def test_keys_that_change_and_ten_minutes_without_the_provider(provider: Provider) -> None:
    clock = Clock()
    keys = IssuerKeys(Discovery(provider.discovery, provider.issuer).fetch, 24 * 3_600, clock)
    policy = TokenPolicy.of(read_settings({"TSUZURI_AUDIENCE": AUDIENCE}))
    identity = Identity(keys, replace(policy, issuer=provider.issuer), ProofsSeen(), ORIGIN)

    async def known(token: str) -> bool:
        try:
            await identity.caller(Presented.bearer(token))
        except TokenRefused:
            return False
        return True

    async def pass_(seconds: int) -> None:
        for _ in range(seconds // 15):
            clock.at += 15
            await keys.look_again()

    async def story() -> None:
        before = provider.viewer_token("dr-hamada")["access_token"]
        assert await known(before)

        provider.stop()
        await pass_(600)
        assert await known(before)

        provider.keys = [signing_key()]
        provider.start()
        after = provider.viewer_token("dr-hamada")["access_token"]
        await pass_(60)
        assert await known(after)
        assert not await known(before)

    asyncio.run(story())
