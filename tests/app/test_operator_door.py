"""With an address of their own the metrics are told there, and nothing else of the API is."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tsuzuri.app.operator_door import OperatorDoor

OPERATORS, PUBLIC = 9090, 8080


def status(port: int, path: str) -> int:
    async def there(_: Request) -> Response:
        return Response(b"")

    door = Middleware(OperatorDoor, port=OPERATORS)
    paths = ("/graphql", "/bundles", "/livez", "/readyz", "/metrics")
    server = Starlette(routes=[Route(path, there) for path in paths], middleware=[door])

    async def asked() -> int:
        base = f"http://tsuzuri:{port}"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url=base) as client:
            return (await client.get(path)).status_code

    return asyncio.run(asked())


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/livez"])
def test_there_is_what_operators_ask(path: str) -> None:
    assert status(OPERATORS, path) == 200


@pytest.mark.parametrize("path", ["/graphql", "/bundles", "/nowhere"])
def test_nothing_of_a_record_is_there(path: str) -> None:
    assert status(OPERATORS, path) == 404


def test_everybody_else_finds_the_api_and_no_metrics() -> None:
    assert status(PUBLIC, "/metrics") == 404
    assert {status(PUBLIC, path) for path in ("/graphql", "/bundles", "/livez", "/readyz")} == {200}
