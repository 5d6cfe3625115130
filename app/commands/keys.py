"""`tsuzuri keys`: the key-encryption keys by epoch, and the data keys under them."""

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tsuzuri.app.database import ready_database
from tsuzuri.app.key_file import TooEarly, new_epoch
from tsuzuri.app.keys import key_file
from tsuzuri.app.services import logins_of
from tsuzuri.app.settings import read_settings
from tsuzuri.eventlog.key_rotation import key_counts, rewrap

app = typer.Typer(no_args_is_help=True, help="Key-encryption keys and data keys.")


@app.command("new")
def new() -> None:
    """Print the first line of a new file of key-encryption keys. It is a secret: send it into a file of your own."""
    typer.echo(new_epoch(1).line(), nl=False)


@app.command("status")
def status() -> None:
    """How many data keys there are of each use and epoch, and how many were destroyed."""
    settings = read_settings()
    with ready_database(settings) as dsn:
        counts = key_counts(logins_of(settings, dsn))
    table = Table("use", "epoch", "keys", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for count in counts:
        table.add_row(count.use, "destroyed" if count.epoch is None else str(count.epoch), str(count.keys))
    Console().print(table)


@app.command("rotate")
def rotate(
    add: bool = typer.Option(True, help="Put a new epoch into the file first; else wrap under its newest."),
) -> None:
    """Wrap every data key under a new epoch, while everybody reads and writes on. Safe to repeat."""
    settings = read_settings()
    with ready_database(settings) as dsn:
        file = key_file(settings)
        if add:
            file.add_epoch()
        newest = file.newest.number
        logins = logins_of(settings, dsn)
        waiting = sum(c.keys for c in key_counts(logins) if c.epoch not in (None, newest))
        columns = (TextColumn("keys"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        done = 0
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("keys", total=waiting)
            for done in rewrap(logins, file, newest):
                bar.update(task, completed=done)
    typer.echo(f"{done} keys are wrapped under epoch {newest} now; then, after a while: tsuzuri keys retire")


@app.command("retire")
def retire() -> None:
    """Take epochs that wrap no key any more out of the file. What was destroyed under them is gone for good.

    Every other copy of the file must lose them too: a backup of it brings them back.
    """
    settings = read_settings()
    with ready_database(settings) as dsn:
        in_use = {count.epoch for count in key_counts(logins_of(settings, dsn)) if count.epoch is not None}
        try:
            retired = key_file(settings).retire(in_use)
        except TooEarly as early:
            typer.echo(str(early), err=True)
            raise typer.Exit(1) from None
    typer.echo(f"retired: {', '.join(map(str, retired)) or 'none'}")
