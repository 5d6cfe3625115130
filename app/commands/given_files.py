"""The files and folders a command is given: every one below them, and of NDJSON every line."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from tsuzuri.domain.rules.limits import SIZE_MAX_BYTES

_LINE_BYTES_MAX = SIZE_MAX_BYTES + 2  # the largest Bundle there may be, and the end of its line


@dataclass(frozen=True)
class Piece:
    """What may be one Bundle: a file, or one line of an NDJSON file."""

    file: str  # the path; for a line, the path and ":" and its number
    body: bytes  # of what is larger than a Bundle may be, one byte more than that
    last: bool = False  # nothing may come behind it for long: it came out of a pipe


@dataclass(frozen=True)
class Result:
    """What became of one piece, or of a path that could not be looked into."""

    file: str
    status: str
    reason: str | None = None
    broken: tuple[dict[str, Any], ...] = ()  # the rules it breaks, for programs


def find(paths: list[Path]) -> Iterator[Path | Result]:
    """Every file below the paths, in order of name: nothing is skipped without a word.

    A folder that links lead to a second time is read once, or a loop of them would be read for ever.
    """
    for given in paths:
        seen: dict[tuple[int, int], Path] = {}
        waiting = [given]
        while waiting:
            path = waiting.pop()
            try:
                found = path.stat()
                if S_ISDIR(found.st_mode):
                    first = seen.setdefault((found.st_dev, found.st_ino), path)
                    if first is path:
                        waiting += sorted(path.iterdir(), reverse=True)
                    else:
                        yield Result(_name(path), "not-a-bundle", f"the same folder as {_name(first)}")
                elif S_ISREG(found.st_mode) or path is given:  # named by a person, a pipe is meant
                    yield path
                else:
                    yield Result(_name(path), "unreadable", "neither a file nor a folder")
            except OSError as error:
                yield _unreadable(path, error)


def pieces(path: Path) -> Iterator[Piece | Result]:
    """The file, or its lines one by one: no more than one is held in memory."""
    try:
        with path.open("rb") as file:
            piped = not S_ISREG(os.fstat(file.fileno()).st_mode)
            if path.suffix != ".ndjson":
                yield Piece(_name(path), file.read(SIZE_MAX_BYTES + 1))
                return
            number = 0
            while line := file.readline(_LINE_BYTES_MAX):
                number += 1
                body, rest = line.rstrip(b"\r\n"), line
                while len(rest) >= _LINE_BYTES_MAX and not rest.endswith(b"\n"):
                    body, rest = line[: SIZE_MAX_BYTES + 1], file.readline(_LINE_BYTES_MAX)
                if body.strip() or len(body) > SIZE_MAX_BYTES:
                    yield Piece(f"{_name(path)}:{number}", body, last=piped)
    except OSError as error:
        yield _unreadable(path, error)


def _unreadable(path: Path, error: OSError) -> Result:
    return Result(_name(path), "unreadable", f"cannot be read: {error.strerror}")


def _name(path: Path) -> str:
    """The path as it can be printed: names of files are bytes, and need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")
