"""The erasure list: which keys were destroyed, outside of the database, so that no backup brings them back.

One line of JSON for each, in the published folder, signed by the log's key: nobody else can have a key destroyed by
adding a line. It names no patient. That its end was cut off cannot be seen from it: keep copies of the folder.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from psycopg import Connection

from tsuzuri.eventlog.proofs.fields import Fields
from tsuzuri.eventlog.proofs.heads import moment_text
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import PublicKey, SigningKey
from tsuzuri.eventlog.published import to_disk

_AT_ONCE = 10_000


@dataclass(frozen=True)
class DestroyedKey:
    """A data key that nobody has any more."""

    part: int
    key_id: UUID
    said_by: UUID | None  # the event that says so; None: destroyed before the list was kept
    at: datetime


class ErasureList:
    """The file. One maker writes at a time. A key may stand in it twice: destroyed again, or listed by one cut off."""

    def __init__(self, published: Path) -> None:
        self._path = published / "erasures.ndjson"

    def add(self, destroyed: Sequence[DestroyedKey], key: SigningKey) -> None:
        """On disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "r+b" if self._path.exists() else "w+b") as file:
            number = _cut_to_whole_lines(file)
            for one in destroyed:
                number += 1
                file.write(_line(number, one, key))
            to_disk(file)

    def keys(self, key: PublicKey | None = None) -> Iterator[DestroyedKey]:
        """All that are listed. *key*: of the log; each must be signed by it.

        Raises ProofFails: a line is missing from the middle, is not one, or is not signed.
        """
        try:
            file = open(self._path, "rb")
        except FileNotFoundError:
            return
        with file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return  # a maker was cut off: the key is listed by the next
                where = f"line {number} of {self._path}"
                read, one = _read(line, where)
                if read.number("number") != number:
                    raise ProofFails(f"{where} is number {read.number('number')}: a line is missing")
                if key is not None and not _is_signed(number, one, read.text("signature"), key):
                    raise ProofFails(f"{where} is not signed by {key.name}")
                yield one


def list_destroyed(connection: Connection[Any], erasures: ErasureList, key: SigningKey) -> None:
    """Take what was destroyed since the last time into the list."""
    while True:
        rows = connection.execute(
            "SELECT part, key_id, said_by, at FROM destroyed_key WHERE NOT listed ORDER BY at LIMIT %b",
            (_AT_ONCE,),
            binary=True,
        ).fetchall()
        if not rows:
            return
        erasures.add([DestroyedKey(*row) for row in rows], key)
        connection.execute(
            """UPDATE destroyed_key AS d SET listed = true FROM unnest(%b::smallint[], %b::uuid[]) AS n (part, key_id)
               WHERE d.part = n.part AND d.key_id = n.key_id""",
            ([row[0] for row in rows], [row[1] for row in rows]),
        )


@dataclass(frozen=True)
class WholeKey:
    """A key that is listed as destroyed, and lies in this database all the same."""

    part: int
    key_id: UUID
    owner: UUID
    use: str


def whole_again(connection: Connection[Any], listed: Iterator[DestroyedKey]) -> list[WholeKey]:
    """Which of the listed keys can be used in this database: it is from before they were destroyed."""
    found: set[WholeKey] = set()
    while chunk := [one for _, one in zip(range(_AT_ONCE), listed, strict=False)]:
        rows = connection.execute(
            """SELECT k.part, k.key_id, k.patient_id, k.use
               FROM unnest(%b::smallint[], %b::uuid[]) AS n (part, key_id) JOIN data_key k USING (part, key_id)
               WHERE k.wrapped IS NOT NULL""",
            ([one.part for one in chunk], [one.key_id for one in chunk]),
            binary=True,
        )
        found |= {WholeKey(*row) for row in rows.fetchall()}
    return sorted(found, key=lambda one: (one.part, one.owner, one.key_id))


def _signed_text(number: int, one: DestroyedKey, origin: str) -> str:
    """Its first line is no origin that a log can have, so it is never taken for a checkpoint."""
    said_by = "-" if one.said_by is None else str(one.said_by)
    lines = ("tsuzuri erasure", origin, str(number), str(one.part), str(one.key_id), said_by)
    return "\n".join((*lines, moment_text(one.at), ""))


def _line(number: int, one: DestroyedKey, key: SigningKey) -> bytes:
    fields = {
        "number": number,
        "part": one.part,
        "key": str(one.key_id),
        "event": None if one.said_by is None else str(one.said_by),
        "at": moment_text(one.at),
        "signature": key.signature(_signed_text(number, one, key.public.name)).strip(),
    }
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _is_signed(number: int, one: DestroyedKey, signature: str, key: PublicKey) -> bool:
    return key.signed(_signed_text(number, one, key.name), signature)


def _read(line: bytes, where: str) -> tuple[Fields, DestroyedKey]:
    try:
        read = Fields(json.loads(line), where)
    except ValueError:
        raise ProofFails(f"{where} is not JSON") from None
    said_by = read.uuid("event") if read.has("event") else None
    return read, DestroyedKey(read.number("part"), read.uuid("key"), said_by, read.moment("at"))


def _cut_to_whole_lines(file: IO[bytes]) -> int:
    """Take away a last line that is not whole; the number of the last that is. The file is at its end then."""
    end = file.seek(0, os.SEEK_END)
    start = max(0, end - _TAIL_BYTES)
    file.seek(start)
    tail = file.read()
    tail = tail[: tail.rfind(b"\n") + 1]
    file.truncate(start + len(tail))
    file.seek(0, os.SEEK_END)
    last = tail[:-1].rpartition(b"\n")[2]
    return _read(last, "the last line of the erasure list")[0].number("number") if last else 0


_TAIL_BYTES = 1 << 16  # many lines
