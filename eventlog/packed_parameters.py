"""Parameters as PostgreSQL takes them in binary, each with its type: packed here, since the driver's own way costs four
times as much and lets the server guess types anew at each call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar

from psycopg import adapters
from psycopg.abc import AdaptContext
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_HEADER, _LENGTH = Struct("!iiIii"), Struct("!i")
_NULL = _LENGTH.pack(-1)


class Packed:
    """One parameter, ready to be sent. Each type is a class of its own: the driver chooses by class."""

    __slots__ = ("packed",)
    oid: ClassVar[int]

    def __init__(self, packed: bytes) -> None:
        self.packed = packed


@dataclass(frozen=True)
class Column:
    """A type: how its values are packed, one by itself or many as an array. None stands for NULL in an array."""

    element_oid: int
    packs: Callable[[Any], bytes]  # a value with its length in front
    single: type[Packed]
    array: type[Packed]

    def pack_one(self, value: Any) -> Packed | None:
        return None if value is None else self.single(self.packs(value)[_LENGTH.size :])

    def pack(self, values: Sequence[Any]) -> Packed:
        packs = self.packs
        parts = [_NULL if value is None else packs(value) for value in values]
        header = _HEADER.pack(1, int(None in values), self.element_oid, len(values), 1)
        return self.array(header + b"".join(parts))


def _fixed(code: str) -> Callable[[Any], bytes]:
    packed = Struct(f"!i{code}")
    size = packed.size - 4
    return lambda value: packed.pack(size, value)


def _bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


_UUID_LENGTH = _LENGTH.pack(16)


def _class(name: str, type_oid: int) -> type[Packed]:
    packed = type(name, (Packed,), {"__slots__": (), "oid": type_oid})

    class PackedDumper(Dumper):
        format = Format.BINARY

        def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
            super().__init__(cls, context)
            self.oid = type_oid  # not of the class: else the driver takes it for the one dumper of this type

        def dump(self, obj: Any) -> Buffer:
            ready: bytes = obj.packed
            return ready

    adapters.register_dumper(packed, PackedDumper)
    return packed


def _column(name: str, element_oid: int, array_oid: int, packs: Callable[[Any], bytes]) -> Column:
    return Column(
        element_oid, packs, _class(f"Packed{name}", element_oid), _class(f"Packed{name}s", array_oid)
    )


BOOL = _column("Bool", 16, 1000, _fixed("?"))
BYTEA = _column("Bytea", 17, 1001, _bytes)
INT2 = _column("Int2", 21, 1005, _fixed("h"))
INT4 = _column("Int4", 23, 1007, _fixed("i"))
INT8 = _column("Int8", 20, 1016, _fixed("q"))
TEXT = _column("Text", 25, 1009, lambda value: _bytes(value.encode()))
UUIDS = _column("Uuid", 2950, 2951, lambda value: _UUID_LENGTH + value.bytes)
