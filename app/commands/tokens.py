"""`tsuzuri token`: who one is, on a developer's machine."""

from typing import Annotated
from uuid import UUID

import typer

from tsuzuri.app.settings import read_settings
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.vocabulary import Role

app = typer.Typer()


@app.command()
def token(
    role: Annotated[Role, typer.Option(help="What the caller is.")],
    person: Annotated[str, typer.Option(help="Who the caller is.")] = "developer",
    facility: Annotated[str | None, typer.Option(help="医療機関番号, 10 digits.")] = None,
    patient: Annotated[UUID | None, typer.Option(help="Whom a PATIENT is.")] = None,
    scope: Annotated[str | None, typer.Option(help="SMART scopes; else all that the role may have.")] = None,
) -> None:
    """Print a development token. Refused unless TSUZURI_MODE=development."""
    typer.echo(
        development_token(
            read_settings(), role=role, person=person, facility=facility, patient=patient, scope=scope
        )
    )
