"""How far a load is, how fast it goes, and how long it will take: on a terminal only."""

import sys
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tsuzuri.app.commands.given_files import Piece, Result


class IngestProgress:
    """A bar by bytes, for a file may hold one Bundle or a million; beside it the Bundles and their rate."""

    def __init__(self, found: Iterable[Path | Result], *, quiet: bool) -> None:
        # On a terminal the lines are printed above the bar; into a pipe they must not take its way, standard error.
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.fields[bundles]:,} Bundles"),
            BarColumn(),
            TextColumn("{task.fields[rate]:,.0f}/s, left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._bundles = 0
        total = None if self._bar.disable else _bytes_of(found)
        self._task = self._bar.add_task("ingest", total=total, bundles=0, rate=0.0)

    def __enter__(self) -> "IngestProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def done(self, window: Iterable[Piece | Result]) -> None:
        """These are stored, or told why not."""
        weights = [len(piece.body) for piece in window if isinstance(piece, Piece)]
        self._bundles += len(weights)
        seconds = self._bar.tasks[0].elapsed or 0.0
        rate = self._bundles / seconds if seconds else 0.0
        self._bar.update(self._task, advance=sum(weights), bundles=self._bundles, rate=rate)


def _bytes_of(found: Iterable[Path | Result]) -> int | None:
    """None when nobody knows: something comes out of a pipe."""
    total = 0
    for path in found:
        try:
            if isinstance(path, Path):
                told = path.stat()
                if not S_ISREG(told.st_mode):
                    return None
                total += told.st_size
        except OSError:
            pass  # it is told as a file that cannot be read
    return total
