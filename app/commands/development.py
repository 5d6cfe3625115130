"""`tsuzuri sample`, `token`, `query`, `schema`, `check`: what a newcomer and a vendor need."""

import asyncio
import os
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer

from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.database import ready_database
from tsuzuri.app.sample.generate import write_sample
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.app.tokens import development_token, token_checker
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.fhir.bundle import BundleRejected, read_bundle
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.schema import build_schema, schema_sha256


def sample(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    patients: Annotated[int, typer.Option(min=1, max=100_000, help="How many patients.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Write synthetic Bundles of all kinds."""
    written = write_sample(folder, patients, seed)
    typer.echo(f"{written} Bundles of {patients} patients in {folder}")


def token(
    role: Annotated[Role, typer.Option(help="What the caller is.")],
    person: Annotated[str, typer.Option(help="Who the caller is.")] = "developer",
    facility: Annotated[str | None, typer.Option(help="医療機関番号, 10 digits.")] = None,
    patient: Annotated[UUID | None, typer.Option(help="Whom a PATIENT is.")] = None,
) -> None:
    """Print a development token. Refused unless TSUZURI_MODE=development."""
    typer.echo(
        development_token(read_settings(), role=role, person=person, facility=facility, patient=patient)
    )


def query(
    file: Annotated[typer.FileText, typer.Argument(help="A GraphQL document; - for standard input.")],
    variables: Annotated[str, typer.Option(help="JSON object.")] = "{}",
    token: Annotated[str | None, typer.Option(help="Bearer token; else $TSUZURI_TOKEN.")] = None,
) -> None:
    """Run a query without a server, as the token's caller. It is in the audit trail like any other."""
    settings = read_settings()
    caller = token_checker(settings).caller(token or os.environ.get("TSUZURI_TOKEN", ""))
    with ready_database(settings) as dsn:
        answer = asyncio.run(_query(settings, dsn, caller, file.read(), orjson.loads(variables)))
    typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    raise typer.Exit(1 if "errors" in answer else 0)


async def _query(
    settings: Settings, dsn: str, caller: Caller, document: str, variables: dict[str, object]
) -> dict[str, object]:
    schema = build_schema()
    async with services(settings, dsn) as opened:
        application = TsuzuriApplication(opened, schema_sha256(schema))
        return await execute(schema, application, caller, document, variables)


def schema() -> None:
    """Print the GraphQL schema."""
    typer.echo(build_schema().as_str())


def check(files: Annotated[list[Path], typer.Argument(help="FHIR Bundles.")]) -> None:
    """Read Bundles and store nothing: what registering them would say. Exit code 1 when one is rejected."""
    rejected = False
    for file in files:
        try:
            reading = read_bundle(file.read_bytes())
        except BundleRejected as problem:
            rejected = True
            typer.echo(f"rejected  {file}  {problem}")
        else:
            typer.echo(f"good      {file}  {reading.document.kind}, {len(reading.entries)} entries")
            for warning in reading.warnings:
                typer.echo(f"warning   {file}  {warning}")
    raise typer.Exit(1 if rejected else 0)
