"""Streams of events as a test reads them, and a server in the test's own loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from edge_examples import EVENTS, events, progress_of
from examples import CLINIC, PATIENT
from tsuzuri.app.commands.serve import Server
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.callers import FACILITY_ROLES
from tsuzuri.domain.vocabulary import Role

NAME = "record_index"
PATIENCE_SECONDS = 30.0


def bearer(settings: Settings, role: Role = Role.OPERATOR, **more: Any) -> dict[str, str]:
    facility = CLINIC if role in FACILITY_ROLES else None
    patient = PATIENT if role is Role.PATIENT else None
    token = development_token(
        settings, role=role, person="somebody", facility=facility, patient=patient, **more
    )
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Here:
    settings: Settings
    server: Server
    client: httpx.AsyncClient

    def watch(self) -> Any:
        headers = EVENTS | bearer(self.settings)
        return self.client.stream("POST", "/graphql", headers=headers, json=progress_of(NAME))


@contextlib.asynccontextmanager
async def serving(settings: Settings, dsn: str) -> AsyncIterator[Here]:
    api = build_server(settings, dsn)
    config = uvicorn.Config(api, host="127.0.0.1", port=0, log_level="error")
    server = Server(config, api.state.closing)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS, limits=limits
    ) as client:
        yield Here(settings, server, client)
        server.should_exit = True
        await asyncio.wait_for(running, PATIENCE_SECONDS)


async def next_of(lines: AsyncIterator[str]) -> tuple[str, Any]:
    gathered = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for line in lines:
            gathered.append(line)
            if found := list(events(gathered)):
                return found[0]
    raise AssertionError(f"the stream ended after {gathered}")
