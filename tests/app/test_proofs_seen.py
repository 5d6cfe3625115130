"""A proof counts once, whichever process of ours it comes to; and a stream goes on without a second one."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import Connection

from edge_examples import EVENTS, Served, events
from examples import a_bundle
from log_examples import logins
from proof_examples import BOUND, KEY, a_proof, ath
from token_examples import AUDIENCE, ISSUER, ORIGIN, PUBLIC, a_token
from torture.proof_replays import Forgetful, times_taken
from tsuzuri.app.proofs import Proof
from tsuzuri.app.proofs_seen import KEPT_SECONDS, ProofsSeen, StoreUnavailable
from tsuzuri.eventlog.connecting import LogRole, connect


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The server knows an issuer, and its systems prove that their tokens are theirs."""
    keys = tmp_path_factory.mktemp("issuer") / "jwks.json"
    keys.write_text(json.dumps(PUBLIC))
    return {
        "TSUZURI_JWKS_FILE": str(keys),
        "TSUZURI_ISSUER": ISSUER,
        "TSUZURI_AUDIENCE": AUDIENCE,
        "TSUZURI_PUBLIC_URL": ORIGIN,
        "TSUZURI_SYSTEM_TOKENS": "dpop",
    }


def sent(served: Served, proof: str, route: str = "/bundles", token: str = BOUND) -> httpx.Response:
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    return served.client.post(route, headers=headers, content=a_bundle())


def now() -> int:
    return int(time.time())


def of_bundles(**changes: Any) -> str:
    return a_proof(htu=f"{ORIGIN}/bundles", iat=now(), **changes)


# --- over HTTP


def test_a_facilitys_system_registers_a_bundle_with_a_proof_each_time(served: Served) -> None:
    assert sent(served, of_bundles()).status_code == 201
    assert sent(served, of_bundles()).status_code == 200


def test_a_proof_that_was_shown_before_is_refused_on_every_route(served: Served) -> None:
    proof = of_bundles(jti="shown twice")
    assert sent(served, proof).status_code == 200
    asked_elsewhere = a_proof(iat=now(), jti="shown twice")

    again, elsewhere = sent(served, proof), sent(served, asked_elsewhere, "/graphql")

    for answer in (again, elsewhere):
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_what_was_refused_for_another_reason_may_still_be_shown(served: Served) -> None:
    proof = of_bundles()

    assert sent(served, proof, "/graphql").status_code == 401
    assert sent(served, proof).status_code == 200


def test_a_query_in_the_address_is_no_part_of_the_proof(served: Served) -> None:
    assert sent(served, of_bundles(), "/bundles?oral-consent=false").status_code == 200


def test_a_stream_that_began_with_a_proof_goes_on_under_it(served: Served) -> None:
    token = a_token(role="OPERATOR", scope="user/*.rs", cnf={"jkt": KEY.thumbprint()})
    headers = EVENTS | {
        "Authorization": f"DPoP {token}",
        "DPoP": a_proof(iat=now(), ath=ath(token)),
    }
    watch = {"query": 'subscription { projectionProgress(name: "record_index") { state } }'}

    with served.client.stream("POST", "/graphql", headers=headers, json=watch) as answer:
        kind, told = next(events(answer.iter_lines()))

    assert kind == "next" and "errors" not in told


# --- the store

Work = Callable[[ProofsSeen], Awaitable[Any]]


def with_store(dsn: str, work: Work) -> Any:
    async def inside() -> Any:
        seen = ProofsSeen()
        async with seen.opened(logins(dsn)):
            return await work(seen)

    return asyncio.run(inside())


def a_digest(number: int) -> Proof:
    return Proof(number.to_bytes(32, "big"))


def test_of_many_at_once_one_is_the_first(dsn: str) -> None:
    async def all_at_once(seen: ProofsSeen) -> list[bool]:
        return await asyncio.gather(*(seen.first(a_digest(1)) for _ in range(40)))

    assert sum(with_store(dsn, all_at_once)) == 1
    assert sum(with_store(dsn, all_at_once)) == 0  # a process that begins later knows it too


def test_of_two_processes_one_takes_a_proof(dsn: str) -> None:
    assert set(times_taken(ProofsSeen, dsn, 50)) == {1}
    assert set(times_taken(Forgetful, dsn, 50)) == {2}  # were each to remember for itself


def test_what_is_kept_is_a_digest_and_a_moment_behind_which_it_counts_no_more(
    dsn: str, connection: Connection[Any]
) -> None:
    with_store(dsn, lambda seen: seen.first(a_digest(2)))

    (row,) = connection.execute("SELECT digest, until - clock_timestamp() FROM proof_seen").fetchall()

    assert row[0] == a_digest(2).digest
    assert KEPT_SECONDS - 60 < row[1].total_seconds() <= KEPT_SECONDS


def test_what_can_no_longer_be_shown_is_removed(
    dsn: str, connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsuzuri.app.proofs_seen.PRUNE_SECONDS", 0.01)

    async def pruned(seen: ProofsSeen) -> None:
        await seen.first(a_digest(3))
        await seen.first(a_digest(4))
        connection.execute("UPDATE proof_seen SET until = now() WHERE digest = %s", (a_digest(3).digest,))
        while connection.execute("SELECT count(*) FROM proof_seen").fetchone() != (1,):
            await asyncio.sleep(0.01)
        assert not await seen.first(a_digest(4))

    with_store(dsn, pruned)


def test_a_store_that_is_gone_says_so(dsn: str, connection: Connection[Any]) -> None:
    connection.execute("ALTER TABLE proof_seen RENAME TO gone")

    async def asked(seen: ProofsSeen) -> None:
        with pytest.raises(StoreUnavailable):
            await seen.first(a_digest(5))

    with_store(dsn, asked)


def test_one_that_is_not_open_takes_nothing() -> None:
    with pytest.raises(StoreUnavailable):
        asyncio.run(ProofsSeen().first(a_digest(6)))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE proof_seen SET until = now()",
        "SELECT count(*) FROM event",
        "SELECT count(*) FROM data_key",
        "SELECT count(*) FROM projection",
        "TRUNCATE proof_seen",
        "CREATE TABLE mine ()",
        "SET ROLE tsuzuri_owner",
    ],
)
def test_who_keeps_the_proofs_may_do_nothing_else(dsn: str, statement: str) -> None:
    with connect(logins(dsn).of(LogRole.DOORKEEPER)) as doorkeeper:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            doorkeeper.execute(statement.encode())


@pytest.mark.parametrize("role", sorted(set(LogRole) - {LogRole.DOORKEEPER}))
def test_nobody_else_touches_them(dsn: str, role: LogRole) -> None:
    with connect(logins(dsn).of(role)) as somebody:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            somebody.execute("SELECT count(*) FROM proof_seen")
