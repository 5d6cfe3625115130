"""What a received document itself shows one reading: its page, and the files it carries."""

import asyncio
from collections.abc import Mapping
from typing import Any

from tsuzuri.domain.access import covers
from tsuzuri.domain.attachments import AttachedFile
from tsuzuri.domain.fhir.received_document import ReceivedDocument, open_document
from tsuzuri.domain.rendering.document import Marks, Shown, render
from tsuzuri.domain.vocabulary import AccessBasis, Flag, RecordClass
from tsuzuri.graphql.readings import Reading
from tsuzuri.graphql.record_reader import Places, RecordReader

Row = Mapping[str, Any]

_OWN = frozenset({AccessBasis.SELF, AccessBasis.PROXY})


async def document_html(reader: RecordReader, row: Row) -> str | None:
    """The page of a document, as far as the reading may show it; None when the document was erased."""
    received = await reader.received(row)
    if received is None:
        return None
    places = await reader.places(row)
    reader.show(places.seen)
    return await asyncio.to_thread(_page, received, reader.reading, row, places)


async def attached_file(reader: RecordReader, row: Row, number: int) -> AttachedFile | None:
    """The *number*-th attachment, from 1; None when it lies elsewhere, was erased, or may not be shown."""
    if reads_her_own(reader.reading) or (received := await reader.received(row)) is None:
        return None
    places = await reader.places(row)
    document = await asyncio.to_thread(open_document, received)
    if not _all_covered(document, reader.reading, row, places):
        return None
    return await asyncio.to_thread(document.file, number)


def reads_her_own(reading: Reading) -> bool:
    """The patient, or who stands for her. She reads entries only, never the sender's own words and files.

    They may name what she has not been told. Were they withheld only where they do, that would tell her.
    """
    return not _OWN.isdisjoint(reading.decision.bases)


def _page(received: bytes, reading: Reading, row: Row, places: Places) -> str:
    document = open_document(received)
    shown = Shown(
        entries={
            seen["place"]: Marks(tuple(Flag(flag) for flag in seen["flags"]), seen["flaggedAt"])
            for seen in places.seen
        },
        words=not reads_her_own(reading) and _all_covered(document, reading, row, places),
        registered_at=row["registeredAt"],
        registered_by=row["facilityName"] or row["facility"],
    )
    return render(document, shown)


def _all_covered(document: ReceivedDocument, reading: Reading, row: Row, places: Places) -> bool:
    """Whether the reading may see everything in a document, whatever of it the index has entries of."""
    return places.all_seen and covers(
        reading.decision.grounds,
        RecordClass(row["recordClass"]),
        document.marks(),
        document=row["id"],
        recipient=row["recipient"],
        sender=row["facility"],
    )
