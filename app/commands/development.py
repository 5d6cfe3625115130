"""`tsuzuri query` and `schema`: asking without a server."""

import asyncio
import os
from typing import Annotated

import orjson
import typer

from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.database import ready_database
from tsuzuri.app.identity import Presented, StepUpNeeded, identity_of
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.app.signed import TokenRefused
from tsuzuri.app.token_keys import KeysUnavailable
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.gate import Gate
from tsuzuri.graphql.schema import build_schema, schema_sha256

query_app, schema_app = typer.Typer(), typer.Typer()


@query_app.command()
def query(
    file: Annotated[typer.FileText, typer.Argument(help="A GraphQL document; - for standard input.")],
    variables: Annotated[str, typer.Option(help="JSON object.")] = "{}",
    token: Annotated[str | None, typer.Option(help="Bearer token; else $TSUZURI_TOKEN.")] = None,
) -> None:
    """Run a query without a server, as the token's caller. It is in the audit trail like any other."""
    settings = read_settings()
    try:
        given = orjson.loads(variables)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise typer.BadParameter("variables are a JSON object")
    given_token = token or os.environ.get("TSUZURI_TOKEN")
    if not given_token:
        raise typer.BadParameter("give --token or TSUZURI_TOKEN")
    try:
        caller = asyncio.run(identity_of(settings).caller(Presented.bearer(given_token)))
    except (TokenRefused, StepUpNeeded, KeysUnavailable) as refused:
        raise TokenRefused(f"the token was refused: {refused}") from None
    with ready_database(settings) as dsn:
        answer = asyncio.run(_query(settings, dsn, caller, file.read(), given))
    typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    raise typer.Exit(1 if "errors" in answer else 0)


async def _query(
    settings: Settings, dsn: str, caller: Caller, document: str, variables: dict[str, object]
) -> dict[str, object]:
    schema = build_schema()
    async with services(settings, dsn) as opened:
        gate = Gate(development=settings.development)
        application = TsuzuriApplication(opened, schema_sha256(schema), gate)
        return await execute(schema, application, caller, document, variables)


@schema_app.command()
def schema() -> None:
    """Print the GraphQL schema."""
    typer.echo(build_schema().as_str())
