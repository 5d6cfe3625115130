"""Watches at a server in this loop: how they end with it, and how many one caller may have."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from edge_examples import progress_of
from socket_examples import PROTOCOL
from stream_examples import NAME, PATIENCE_SECONDS, Here, bearer, next_of, serving
from tsuzuri.app import server
from tsuzuri.app.open_streams import OpenStreams
from tsuzuri.app.settings import Settings
from tsuzuri.app.web_socket import SocketLimits


def socket(here: Here) -> Any:
    return connect(
        f"ws://127.0.0.1:{here.client.base_url.port}/graphql",
        subprotocols=[Subprotocol(PROTOCOL)],
        additional_headers=bearer(here.settings),
        proxy=None,
    )


async def told_over(opened: Any) -> Any:
    return json.loads(await asyncio.wait_for(opened.recv(), PATIENCE_SECONDS))


async def watched_over(opened: Any) -> None:
    """One that has been told the first."""
    await opened.send('{"type":"connection_init"}')
    assert (await told_over(opened))["type"] == "connection_ack"
    await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": progress_of(NAME)}))
    assert (await told_over(opened))["type"] == "next"


async def closed(opened: Any) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            await told_over(opened)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


def test_a_server_that_ends_says_so_to_those_who_watch(settings: Settings, dsn: str) -> None:
    async def story() -> None:
        async with serving(settings, dsn) as here, socket(here) as opened:
            await watched_over(opened)

            here.server.should_exit = True

            assert await closed(opened) == (1001, "the server is ending: connect again")

    asyncio.run(story())


def test_no_socket_lives_for_ever(settings: Settings, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SocketLimits", partial(SocketLimits, lifetime_seconds=2.0))

    async def story() -> None:
        async with serving(settings, dsn) as here, socket(here) as opened:
            await watched_over(opened)

            assert await closed(opened) == (1001, "this socket is old: connect again")

    asyncio.run(story())


def test_a_client_that_goes_away_leaves_nothing_behind(settings: Settings, dsn: str) -> None:
    async def story() -> None:
        async with serving(settings, dsn) as here:
            tasks = len(asyncio.all_tasks())
            async with socket(here) as opened:
                await watched_over(opened)
                assert len(asyncio.all_tasks()) > tasks

            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(asyncio.all_tasks()) > tasks:
                    await asyncio.sleep(0.01)

    asyncio.run(story())


def test_a_caller_has_so_many_streams_whichever_way_they_come(
    settings: Settings, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "OpenStreams", partial(OpenStreams, streams_max=1))

    async def story() -> None:
        async with serving(settings, dsn) as here, socket(here) as opened:
            await watched_over(opened)
            async with here.watch() as answer:
                _, refused = await next_of(answer.aiter_lines())
            await opened.send('{"id":"1","type":"complete"}')
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    async with here.watch() as answer:
                        _, told = await next_of(answer.aiter_lines())
                    if "data" in told:
                        break

        assert refused["errors"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"

    asyncio.run(story())
