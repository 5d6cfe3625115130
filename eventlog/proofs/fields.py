"""Reads the fields of a proof, which comes from anybody: whatever is missing or of another kind is a ProofFails."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tsuzuri.eventlog.proofs.merkle import HASH_BYTES, ProofFails
from tsuzuri.eventlog.proofs.notes import decoded

_LARGEST = 2**63
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class Fields:
    """An object of JSON, and where in the proof it stands."""

    def __init__(self, value: object, where: str = "the proof") -> None:
        if not isinstance(value, Mapping):
            raise ProofFails(f"{where} is not an object")
        self._value: Mapping[str, Any] = value
        self._where = where

    def _given(self, name: str, kind: type | tuple[type, ...]) -> Any:
        value = self._value.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ProofFails(f"{self._where} lacks {name}, or it is of the wrong kind")
        return value

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def text(self, name: str) -> str:
        value: str = self._given(name, str)
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ProofFails(f"{self._where}: {name} is no text, it has half a character") from None
        return value

    def number(self, name: str) -> int:
        value: int = self._given(name, int)
        if not 0 <= value < _LARGEST:
            raise ProofFails(f"{self._where}: {name} is no such number")
        return value

    def binary(self, name: str) -> bytes:
        return decoded(self.text(name))

    def hash(self, name: str) -> bytes:
        value = self.binary(name)
        if len(value) != HASH_BYTES:
            raise ProofFails(f"{self._where}: {name} is not of 32 bytes")
        return value

    def uuid(self, name: str) -> UUID:
        text = self.text(name)
        try:
            value = UUID(text)
        except ValueError:
            value = None
        if value is None or str(value) != text:
            raise ProofFails(f"{self._where}: {name} is no UUID")
        return value

    def moment(self, name: str) -> datetime:
        text = self.text(name)
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or not _MOMENT.fullmatch(text):
            raise ProofFails(f"{self._where}: {name} is no moment")
        return at

    def items(self, name: str) -> Sequence[Any]:
        value: Sequence[Any] = self._given(name, list)
        return value

    def path(self, name: str) -> list[bytes]:
        """Hashes."""
        return [_hash_of(one, f"{self._where}: {name}") for one in self.items(name)]

    def paths(self, name: str) -> list[list[bytes]]:
        found = []
        for one in self.items(name):
            if not isinstance(one, list):
                raise ProofFails(f"{self._where}: {name} is not made of paths")
            found.append([_hash_of(each, f"{self._where}: {name}") for each in one])
        return found

    def part(self, name: str) -> "Fields":
        return Fields(self._value.get(name), f"{name} of {self._where}")

    def parts(self, name: str) -> list["Fields"]:
        return [
            Fields(one, f"{name} {number} of {self._where}") for number, one in enumerate(self.items(name), 1)
        ]


def _hash_of(value: object, where: str) -> bytes:
    if not isinstance(value, str) or len(raw := decoded(value)) != HASH_BYTES:
        raise ProofFails(f"{where} is not made of hashes of 32 bytes")
    return raw
