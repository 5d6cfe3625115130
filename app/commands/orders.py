"""What the commands of an operator have in common: why it is done, and the services it is done with."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from tsuzuri.app.database import ready_database
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import read_settings

T = TypeVar("T")
Name = Annotated[str, typer.Argument(help="The projection.")]
Reason = Annotated[str | None, typer.Option("--why", help="Why; it stands in the log with your name.")]
Ticket = Annotated[str | None, typer.Option(help="Of your own tracker; it stands in the log.")]


def carried_out(work: Callable[[Services], Awaitable[T]]) -> T:
    """Do it on the database of the installation."""
    settings = read_settings()

    async def run(dsn: str) -> T:
        async with services(settings, dsn) as opened:
            return await work(opened)

    with ready_database(settings) as dsn:
        return asyncio.run(run(dsn))
