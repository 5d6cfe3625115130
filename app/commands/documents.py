"""`tsuzuri documents`: do the cards of trusted documents say what the documents do?"""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from tsuzuri.app.settings import SettingsWrong
from tsuzuri.app.trusted_documents import (
    SHIPPED,
    CardWrong,
    card_json,
    checked,
    graphql_files,
    prepared_file,
)
from tsuzuri.graphql.cards import Card, purposes, roles
from tsuzuri.graphql.reached_classes import reached_classes
from tsuzuri.graphql.schema import build_schema

app = typer.Typer(no_args_is_help=True, help="Trusted documents and their cards.")


@app.command()
def check(
    path: Annotated[
        Path | None, typer.Argument(help="A folder, or one .graphql file; else those that come along.")
    ] = None,
) -> None:
    """Compare each document with the card beside it. Exit code 1 when one does not say what its document does."""
    schema = build_schema()
    wrong = 0
    for file in graphql_files(path or SHIPPED):
        try:
            _, card = checked(file, schema)
        except CardWrong as found:
            wrong += 1
            for line in str(found).splitlines():
                typer.echo(f"{file.name}: {line}")
        else:
            typer.echo(f"{file.name}: {_told(card)}")
    raise typer.Exit(1 if wrong else 0)


def _told(card: Card) -> str:
    whom, what = " ".join(sorted(card.roles)), " ".join(sorted(card.classes)) or "no class"
    return f"{card.name} for {whom}, reaches {what}, costs up to {card.cost}, sha256:{card.sha256}"


@app.command()
def card(
    file: Annotated[Path, typer.Argument(help="A .graphql file.")],
    about: Annotated[str, typer.Option(help="What it is for, in a sentence.")] = "",
    variables: Annotated[str, typer.Option(help="JSON: the largest that it may be asked with.")] = "{}",
) -> None:
    """Print a card that says all that a document does, for all who may use its fields: leave out whom it is not for."""
    try:
        prepared = prepared_file(file, build_schema())
        largest = orjson.loads(variables)
    except CardWrong as wrong:
        raise SettingsWrong(f"{file.name}: {wrong}") from None
    except orjson.JSONDecodeError:
        largest = None
    if not isinstance(largest, dict):
        raise typer.BadParameter("variables are a JSON object")
    measured = Card(
        name=prepared.name or "",
        about=about,
        sha256=prepared.sha256,
        roles=roles(prepared.fields),
        purposes=purposes(prepared.fields, largest),
        classes=reached_classes(prepared.fields),
        cost=prepared.cost(largest),
    )
    typer.echo(card_json(measured), nl=False)
