"""How a read Bundle lies in its payloads: the Document once, and the Entries of each class by themselves."""

from collections.abc import Sequence

import msgspec

from tsuzuri.domain.record import Document, Entry

_document = msgspec.json.Decoder(Document)
_entries = msgspec.json.Decoder(tuple[Entry, ...])


def dump_document(document: Document) -> bytes:
    """The same document gives the same bytes."""
    return msgspec.json.encode(document)


def load_document(body: bytes) -> Document:
    return _document.decode(body)


def dump_entries(entries: Sequence[Entry]) -> bytes:
    """The same entries in the same order give the same bytes."""
    return msgspec.json.encode(entries)


def load_entries(body: bytes) -> tuple[Entry, ...]:
    return _entries.decode(body)
