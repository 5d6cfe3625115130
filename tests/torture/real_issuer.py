"""A real OpenID provider that changes its keys again and again: whose tokens are taken, and whose are not.

In each round it is away for ten minutes, comes back with other keys, and gives tokens to a system and to doctors. Good
ones must be taken, in every order; each that is wrong in one thing must not.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

from issuer_examples import Clock
from log_examples import logins
from provider_examples import AUDIENCE, Provider, System, a_provider, signing_key
from token_examples import ORIGIN
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from tsuzuri.app.access_tokens import TokenPolicy
from tsuzuri.app.discovery import Discovery
from tsuzuri.app.identity import Identity, Presented, StepUpNeeded
from tsuzuri.app.issuer_keys import IssuerKeys
from tsuzuri.app.proofs_seen import ProofsSeen
from tsuzuri.app.settings import read_settings
from tsuzuri.app.signed import TokenRefused
from tsuzuri.domain.callers import Caller

ROUNDS = 20
URL = f"{ORIGIN}/graphql"


class Credulous(Identity):
    """What must not be: whoever has a bound token is believed."""

    async def caller(self, presented: Presented) -> Caller:
        return await self.still_caller(presented)


class Stubborn(IssuerKeys):
    """What must not be: keys that were read once stay as they are."""

    async def _ask(self) -> None:
        if not self._keys:
            await super()._ask()
        self._asking = None


def shown(token: str, *proofs: str, scheme: str = "DPoP") -> Presented:
    return Presented((f"{scheme} {token}",), proofs, "POST", "/graphql")


def good(provider: Provider) -> Mapping[str, Presented]:
    token = provider.system_token(provider.clinic)["access_token"]
    doctors = provider.viewer_token("dr-hamada")["access_token"]
    return {
        "a system's token with its proof": shown(token, provider.clinic.proof("POST", URL, token)),
        "a doctor's token": shown(doctors, scheme="Bearer"),
    }


def wrong(provider: Provider, old: str) -> Mapping[str, Presented]:
    """*old*: a token under a key that the provider has no more."""
    clinic = provider.clinic
    token = provider.system_token(clinic)["access_token"]
    elsewhere = provider.system_token(clinic, resource="https://another.example")["access_token"]
    proof = partial(clinic.proof, "POST", URL, token)
    return {
        "no proof": shown(token),
        "a bound token that is borne": shown(token, scheme="Bearer"),
        "a thief's proof": shown(token, System("thief").proof("POST", URL, token)),
        "a proof of another address": shown(token, clinic.proof("POST", f"{ORIGIN}/bundles", token)),
        "a proof of long ago": shown(token, proof(iat=int(time.time()) - 600)),
        "two proofs": shown(token, proof(), proof()),
        "a token for another service": shown(elsewhere, clinic.proof("POST", URL, elsewhere)),
        "an id token": shown(provider.viewer_token("dr-hamada")["id_token"], scheme="Bearer"),
        "a system's token that is bound to nothing": shown(
            provider.system_token(provider.systems[1])["access_token"], scheme="Bearer"
        ),
        "a password alone": shown(provider.viewer_token("dr-hoka")["access_token"], scheme="Bearer"),
        "a token of a key that is gone": shown(old, scheme="Bearer"),
    }


async def taken(identity: Identity, presented: Presented) -> bool:
    try:
        await identity.caller(presented)
    except (TokenRefused, StepUpNeeded):
        return False
    return True


async def one_round(provider: Provider, identity: Identity, random: Random, old: str) -> list[str]:
    faults = []
    proper = good(provider)
    tries = [(name, one, True) for name, one in proper.items()]
    tries += [(name, one, False) for name, one in wrong(provider, old).items()]
    random.shuffle(tries)
    for name, one, is_good in tries:
        if await taken(identity, one) != is_good:
            faults.append(f"{name} was {'refused' if is_good else 'taken'}")
    if await taken(identity, proper["a system's token with its proof"]):
        faults.append("a proof was taken twice")
    return faults


async def rounds(
    provider: Provider, keys: IssuerKeys, identity: Identity, clock: Clock, times: int, random: Random
) -> list[str]:
    async def pass_(seconds: int) -> None:
        for _ in range(seconds // 15):
            clock.at += 15
            await keys.look_again()

    faults = []
    for _ in range(times):
        old = provider.viewer_token("dr-hamada")["access_token"]
        if not await taken(identity, shown(old, scheme="Bearer")):
            faults.append("a doctor's token was refused")
        provider.stop()
        await pass_(600)
        if not await taken(identity, shown(old, scheme="Bearer")):
            faults.append("a good token was refused while the provider was away")
        provider.keys = [signing_key()]
        provider.start()
        await pass_(60)
        faults += await one_round(provider, identity, random, old)
    return faults


def run(kind: type[Identity], keys_kind: Callable[..., IssuerKeys], folder: Path, share: float) -> Outcome:
    seed, clock, times = int.from_bytes(os.urandom(4)), Clock(), max(1, round(ROUNDS * share))

    async def inside(provider: Provider, dsn: str) -> list[str]:
        keys = keys_kind(Discovery(provider.discovery, provider.issuer).fetch, 24 * 3_600, clock)
        policy = TokenPolicy.of(read_settings({"TSUZURI_AUDIENCE": AUDIENCE}))
        seen = ProofsSeen()
        identity = kind(keys, replace(policy, issuer=provider.issuer), seen, ORIGIN)
        async with seen.opened(logins(dsn)):
            return await rounds(provider, keys, identity, clock, times, Random(seed))

    with fresh_log(folder) as dsn, a_provider() as provider:
        faults = asyncio.run(inside(provider, dsn))
    return Outcome(f"{times} changes of keys behind ten minutes without the provider (seed {seed})", faults)


TORTURE = Torture(
    "real_issuer",
    partial(run, Identity, IssuerKeys),
    {
        "who has a bound token is believed": partial(run, Credulous, IssuerKeys),
        "keys that were read once stay": partial(run, Identity, Stubborn),
    },
)
