"""The fields of a proof's file, each in the one form that the page gives it; used by the second verifier."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class Refused(Exception):
    """The file proves nothing; why not."""


def demand(true: bool, otherwise: str) -> None:
    if not true:
        raise Refused(otherwise)


def of_base64(text: object) -> bytes:
    """Standard alphabet, with padding, and no second spelling of the same bytes."""
    demand(isinstance(text, str) and text.isascii(), "a binary value is no text")
    assert isinstance(text, str)
    try:
        value = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Refused("a binary value is not base64") from None
    demand(base64.b64encode(value).decode() == text, "a binary value is spelled in another way")
    return value


@dataclass(frozen=True)
class Fields:
    """One object of the file."""

    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        demand(isinstance(self.values, Mapping), "something else stands where an object must")

    def __getitem__(self, name: str) -> Any:
        demand(name in self.values, f"{name} is missing")
        return self.values[name]

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        text = self[name]
        demand(isinstance(text, str), f"{name} is no text")
        demand(not re.search("[\ud800-\udfff]", text), f"{name} has half a character")
        return str(text)

    def number(self, name: str, width: int) -> int:
        """A whole number that fits into so many bytes."""
        number = self[name]
        demand(type(number) is int and 0 <= number < 256**width, f"{name} is no number of its size")
        return int(number)

    def binary(self, name: str) -> bytes:
        return of_base64(self[name])

    def hash(self, name: str) -> bytes:
        value = self.binary(name)
        demand(len(value) == 32, f"{name} is no hash")
        return value

    def path(self, name: str) -> list[bytes]:
        return [Fields({name: one}).hash(name) for one in self.items(name)]

    def uuid(self, name: str) -> UUID:
        try:
            value = UUID(self.text(name))
        except ValueError:
            raise Refused(f"{name} is no UUID") from None
        demand(str(value) == self[name], f"{name} is a UUID spelled in another way")
        return value

    def moment(self, name: str) -> int:
        """Microseconds since 2000."""
        text = self.text(name)
        demand(MOMENT.fullmatch(text) is not None, f"{name} is no moment")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Refused(f"{name} is no moment") from None
        return (moment - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    def items(self, name: str) -> list[Any]:
        values = self[name]
        demand(isinstance(values, list), f"{name} is no list")
        return list(values)

    def one(self, name: str) -> "Fields":
        return Fields(self[name])

    def many(self, name: str) -> list["Fields"]:
        return [Fields(value) for value in self.items(name)]
