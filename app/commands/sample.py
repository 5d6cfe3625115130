"""`tsuzuri sample`: synthetic Bundles of all kinds."""

from pathlib import Path
from typing import Annotated

import typer

from tsuzuri.app.sample.generate import write_sample

app = typer.Typer()


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    patients: Annotated[int, typer.Option(min=1, max=100_000, help="How many patients.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Write synthetic Bundles of all kinds."""
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder")
    written = write_sample(folder, patients, seed)
    typer.echo(f"{written} Bundles of {patients} patients in {folder}")
