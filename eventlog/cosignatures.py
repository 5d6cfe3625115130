"""Takes over what witnesses signed: their lines go under the notes in the database, so that proofs carry them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from psycopg import Connection

from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import Checkpoint, Note, PublicKey

_NOTE_BYTES_MAX = 16_384


def handed_in(folder: Path, witness: PublicKey) -> Path:
    """The file of a witness, below the published folder. A name may be an address, with slashes."""
    return folder / "cosignatures" / quote(witness.name, safe="")


def take_over(connection: Connection[Any], folder: Path, witnesses: Sequence[PublicKey]) -> None:
    """Of these witnesses only, and only what they signed: whatever else lies in the folder is passed over."""
    for witness, note in _read(folder, witnesses):
        number = Checkpoint.of(note.body).size
        row = connection.execute("SELECT note FROM log_head WHERE number = %b", (number,)).fetchone()
        if row is None or (stored := Note.of(row[0])).body != note.body or stored.signed_by(witness):
            continue
        connection.execute(
            "UPDATE log_head SET note = %s WHERE number = %b", (row[0] + note.line_of(witness), number)
        )


def _read(folder: Path, witnesses: Sequence[PublicKey]) -> Iterator[tuple[PublicKey, Note]]:
    for witness in witnesses:
        try:
            with open(handed_in(folder, witness), "rb") as file:
                note = Note.of(file.read(_NOTE_BYTES_MAX).decode("utf-8", "replace"))
            Checkpoint.of(note.body)
            if note.signed_by(witness):
                yield witness, note
        except (ProofFails, OSError):
            continue  # nothing yet, or nonsense
