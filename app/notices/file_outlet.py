"""Notices as lines of JSON in a file, for whoever sends them on: it may be moved away at any time."""

import fcntl
import os
from pathlib import Path

from tsuzuri.app.notices.outlet import OutletDown, as_json
from tsuzuri.domain.notices import Notice

_BLOCK_BYTES = 4096


class FileOutlet:
    """Implements tsuzuri.app.notices.outlet.Outlet. A line is on disk before the notice counts as delivered."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def deliver(self, notice: Notice) -> None:
        line = as_json(notice) + b"\n"
        try:
            while not self._appended(line):
                pass
        except OSError as error:
            raise OutletDown(f"{self.path} cannot be written ({error.strerror})") from None

    def _appended(self, line: bytes) -> bool:
        """Whether it is in the file of this name: not, when that was moved away in this very moment."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        opened = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)  # two senders of one machine: lines stay whole
            _cut_torn_line(opened)
            if os.write(opened, line) != len(line):
                raise OSError(0, "a line was written in part")
            os.fsync(opened)
            if new:
                _name_to_disk(self.path.parent)
            return self.path.exists() and os.path.samestat(os.fstat(opened), self.path.stat())
        finally:
            os.close(opened)


def _cut_torn_line(opened: int) -> None:
    """Who was killed or found the disk full left half a line; its notice was not delivered, and comes again."""
    size = end = os.fstat(opened).st_size
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        block = os.pread(opened, end - start, start)
        if (newline := block.rfind(b"\n")) >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(opened, end)


def _name_to_disk(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
