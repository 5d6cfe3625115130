"""Subscriptions over a real socket: what a stream of events tells, and each way in which it ends."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from psycopg import Connection

from edge_examples import EVENTS, Json, Served, events, progress_of, refused
from examples import a_bundle
from log_examples import an_owner, listed, opened_log, save
from stream_examples import NAME, PATIENCE_SECONDS, Here, bearer, next_of, serving
from tsuzuri.app import looks
from tsuzuri.app.edge import EdgeRefused
from tsuzuri.app.event_stream import EventStream
from tsuzuri.app.settings import Settings
from tsuzuri.domain.vocabulary import Role


def code(answer: Json) -> str:
    (error,) = answer["errors"]
    told: str = error["extensions"]["code"]
    return told


# --- asked of a server with a projector beside it


@contextlib.contextmanager
def stream(served: Served, asked: Json, headers: dict[str, str]) -> Iterator[httpx.Response]:
    with served.client.stream("POST", "/graphql", headers=EVENTS | headers, json=asked) as answer:
        assert answer.status_code == 200
        yield answer


def told_by(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Its events, for as long as our patience lasts: a stream that is kept alive may never end."""
    deadline = time.monotonic() + PATIENCE_SECONDS

    def lines() -> Iterator[str]:
        for line in answer.iter_lines():
            assert time.monotonic() < deadline, "the stream did not end"
            yield line

    return events(lines())


def whole(served: Served, asked: Json, role: Role = Role.OPERATOR) -> list[tuple[str, Any]]:
    """Everything that a stream tells which ends by itself."""
    with stream(served, asked, bearer(served.settings, role)) as answer:
        return list(told_by(answer))


def order(served: Served, mutation: str) -> None:
    answer = served.ask(Role.OPERATOR, f'mutation {{ {mutation}(name: "{NAME}") {{ name }} }}')
    assert "errors" not in answer.json(), answer.text


def test_an_operator_watches_a_rebuild_until_it_is_promoted(
    served: Served, record: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "LOOK_SECONDS", 0.05)
    with stream(served, progress_of(NAME), bearer(served.settings)) as answer:
        told = told_by(answer)
        kind, first = next(told)
        order(served, "rebuildProjection")
        states = [first["data"]["projectionProgress"]["state"]]
        for kind, following in told:
            if kind == "complete":
                break
            progress = following["data"]["projectionProgress"]
            if progress["state"] == "READY" and "READY" not in states:
                order(served, "promoteProjection")
            states.append(progress["state"])

        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert (kind, following, list(told)) == ("complete", None, [])
    assert (states[0], states[-1]) == ("LIVE", "LIVE")
    assert set(states) - {"LIVE"} in ({"READY"}, {"FILLING", "READY"})
    assert progress["generation"] == first["data"]["projectionProgress"]["generation"] + 1
    assert progress["done"] == progress["total"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
def test_every_other_role_is_refused_as_with_the_query(served: Served, role: Role) -> None:
    asked = served.client.post(
        "/graphql", headers=bearer(served.settings, role), json={"query": "{ projections { name } }"}
    )

    (kind, told), end = whole(served, progress_of(NAME), role)

    assert (kind, end) == ("next", ("complete", None))
    assert code(told) == code(asked.json()) == "FORBIDDEN"
    assert told["errors"][0]["message"] == asked.json()["errors"][0]["message"]


def test_a_projection_that_there_is_not_is_told_and_the_stream_ends(served: Served) -> None:
    (_, told), end = whole(served, progress_of("horoscope"))

    assert (code(told), end) == ("UNKNOWN_PROJECTION", ("complete", None))


@pytest.mark.parametrize("accept", [None, "*/*", "application/json"])
def test_sent_as_an_ordinary_request_a_subscription_is_told_how_to_ask(
    served: Served, accept: str | None
) -> None:
    headers = bearer(served.settings) | ({} if accept is None else {"Accept": accept})

    answer = served.client.post("/graphql", headers=headers, json=progress_of(NAME))

    assert refused(answer) == "STREAM_NEEDED"
    assert "Accept: text/event-stream" in answer.json()["errors"][0]["message"]


def test_a_query_is_answered_as_a_stream_of_one_for_who_takes_nothing_else(served: Served) -> None:
    asked = {"query": "{ projections { name } }"}
    either = bearer(served.settings) | {"Accept": "application/json, text/event-stream;q=0.5"}

    as_json = served.client.post("/graphql", headers=either, json=asked).json()

    assert as_json["data"]["projections"]
    assert whole(served, asked) == [("next", as_json), ("complete", None)]


def test_a_document_that_is_broken_is_told_in_the_stream(served: Served) -> None:
    (_, told), end = whole(served, {"query": "subscription {"})

    assert (code(told), end) == ("GRAPHQL_INVALID", ("complete", None))


def test_token_and_size_are_checked_as_ever(served: Served) -> None:
    asked = progress_of(NAME)

    nobody = served.client.post("/graphql", headers=EVENTS, json=asked)
    large = served.client.post(
        "/graphql", headers=EVENTS | bearer(served.settings), content=b" " * (256 * 1024 + 1)
    )

    assert refused(nobody, 401) == "UNAUTHENTICATED"
    assert refused(large, 413) == "BODY_TOO_LARGE"


def test_a_token_that_expires_ends_the_stream_before_anything_more_is_told(served: Served) -> None:
    headers = bearer(served.settings, lifetime_seconds=2)
    expired = time.time() + 2
    with stream(served, progress_of(NAME), headers) as answer:
        told = told_by(answer)
        _, first = next(told)
        time.sleep(max(expired - time.time(), 0.0))
        assert served.send(a_bundle(local_id="something new"), "/bundles").status_code == 201

        *before, (_, last), end = told

    assert (code(last), end) == ("UNAUTHENTICATED", ("complete", None))
    totals = [one["data"]["projectionProgress"]["total"] for one in (first, *(one for _, one in before))]
    assert len(set(totals)) == 1, "what came after was told"


# --- a server in this loop, so that one sees what runs in it


def sessions(connection: Connection[Any]) -> tuple[int, int]:
    """How many there are on this database, and how many there have been."""
    row = connection.execute(
        """SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()), sessions
           FROM pg_stat_database WHERE datname = current_database()"""
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def becomes(true: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():
            await asyncio.sleep(0.01)


def test_a_client_that_goes_away_leaves_nothing_behind_and_one_that_stays_holds_no_connection(
    settings: Settings, dsn: str, connection: Connection[Any]
) -> None:
    async def story() -> None:
        async with serving(settings, dsn) as here:
            tasks, (open_before, _) = len(asyncio.all_tasks()), sessions(connection)
            async with here.watch() as answer:
                await next_of(answer.aiter_lines())
                await becomes(lambda: sessions(connection)[0] <= open_before)
                assert len(asyncio.all_tasks()) > tasks

            await becomes(lambda: len(asyncio.all_tasks()) <= tasks)

    asyncio.run(story())


def test_many_who_watch_cost_one_look_a_second(
    settings: Settings, dsn: str, connection: Connection[Any]
) -> None:
    many = 60

    async def watch(here: Here, everybody: asyncio.Barrier) -> None:
        async with here.watch() as answer:
            lines = answer.aiter_lines()
            _, first = await next_of(lines)
            await everybody.wait()  # then the log grows
            _, second = await next_of(lines)
            assert first != second

    async def story() -> None:
        async with serving(settings, dsn) as here:
            everybody = asyncio.Barrier(many + 1)
            async with asyncio.TaskGroup() as group:
                for _ in range(many):
                    group.create_task(watch(here, everybody))
                await everybody.wait()
                _, before = sessions(connection)
                await asyncio.to_thread(grow)
            _, after = sessions(connection)
            assert after - before < many / 2

    def grow() -> None:
        with opened_log(dsn, connections=1) as log:
            save(log, listed(an_owner(1)))

    asyncio.run(story())


def test_a_server_that_ends_tells_those_who_watch_and_waits_for_none_of_them(
    settings: Settings, dsn: str
) -> None:
    async def story() -> None:
        async with serving(settings, dsn) as here, here.watch() as answer:
            lines = answer.aiter_lines()
            await next_of(lines)

            here.server.should_exit = True

            _, told = await next_of(lines)
            assert code(told) == "SERVER_ENDING"
            assert await next_of(lines) == ("complete", None)

    asyncio.run(story())


# --- when nothing comes


def test_a_comment_is_sent_when_nothing_comes_and_the_token_is_checked_then_too() -> None:
    sent: list[bytes] = []
    closed = []

    async def silent() -> Any:
        try:
            await asyncio.sleep(PATIENCE_SECONDS)
            yield {}
        finally:
            closed.append(True)

    async def check() -> None:
        if len(sent) > 2:
            raise EdgeRefused(401, "UNAUTHENTICATED", "a valid bearer token is needed")

    async def receive() -> Any:
        await asyncio.sleep(PATIENCE_SECONDS)

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def story() -> None:
        await EventStream(silent(), check, asyncio.Event(), keep_alive_seconds=0.01)({}, receive, send)

    asyncio.run(story())

    start, *comments, last = sent
    assert (start, comments) == (b"", [b":\n\n", b":\n\n"])
    (_, told), end = events(last.decode().split("\n"))
    assert (code(told), end, closed) == ("UNAUTHENTICATED", ("complete", None), [True])
