"""Fetches what one reading may show: the only way from a permitted read to rows."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.sql import Composable, Composed
from strawberry.dataloader import DataLoader

from tsuzuri.domain.access import beyond_referrals, covers
from tsuzuri.domain.codes import Group
from tsuzuri.domain.retention import LAST
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, RESULT_CLASSES, DocumentKind, Flag, RecordClass
from tsuzuri.graphql.context import ROWS_MAX, Context, RequestRefused
from tsuzuri.graphql.paging import opened, page_size
from tsuzuri.graphql.readings import Reading
from tsuzuri.graphql.statements import (
    Source,
    any_of,
    between,
    by_ids,
    equal,
    guarded,
    one_of,
    overlaps,
    timeline,
)
from tsuzuri.projections import identities, patient_summary, record_index
from tsuzuri.projections.patient_summary import READY_CLASSES
from tsuzuri.projections.sight import LeftOut
from tsuzuri.projections.view import View

SERIES_MAX = 1_000
NEVER_TOO_MANY = (RecordClass.DRUG_ALLERGY, RecordClass.OTHER_ALLERGY, RecordClass.INFECTION)
BYTES_OF_A_ROW = (
    16_384  # what opening a received document counts as, so that no operation opens hundreds of large ones
)

Row = Mapping[str, Any]
Page = tuple[list[tuple[Row, list[Any]]], int]
"""Rows with their cursor values, one more than asked for when there is more; and how many there are in all."""


@dataclass(frozen=True)
class Places:
    """Where in its Bundle the entries of one document lie."""

    seen: Sequence[Row]  # those that the reading may show
    all_seen: bool  # no entry has a class or a mark that the grounds do not cover


class RecordReader:
    """Reads of one patient under one decision. Everything it hands out is noted in the reading."""

    def __init__(self, context: Context, reading: Reading):
        self.context = context
        self.reading = reading
        self.application = context.application
        self._documents: DataLoader[UUID, Row | None] = DataLoader(self._load_documents)
        self._summaries: DataLoader[RecordClass, Sequence[Row]] = DataLoader(self._load_summaries)

    async def entries(
        self,
        *,
        first: int,
        after: str | None,
        classes: Sequence[RecordClass] | None = None,
        codes: Sequence[str] | None = None,
        facilities: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        document: UUID | None = None,
    ) -> Page:
        where = self._asked(classes) + between("sort_at", start, end)
        where += [overlaps("codes", codes)] if codes is not None else []
        where += [one_of("facility", facilities)] if facilities is not None else []
        where += [equal("document", document)] if document is not None else []
        source = self._source(record_index.ENTRIES)
        return await self._page(source, self.use("entries"), where, first, after)

    async def documents(
        self,
        *,
        first: int,
        after: str | None,
        kinds: Sequence[DocumentKind] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Page:
        self.reading.ask(
            DOCUMENT_CLASSES[kind] for kind in kinds or DOCUMENT_CLASSES if kind in DOCUMENT_CLASSES
        )
        where = between("sort_at", start, end)
        where += [one_of("kind", kinds)] if kinds is not None else []
        source = self._source(record_index.DOCUMENTS)
        return await self._page(source, self.use("documents"), where, first, after)

    async def document(self, document: UUID) -> Row | None:
        """The document, when the reading may show it: one that it may not is like one that is not there."""
        return await self._documents.load(document)

    async def _load_documents(self, ids: list[UUID]) -> list[Row | None]:
        """All documents that the resolvers of one level ask for, in one statement."""
        self.reading.ask(DOCUMENT_CLASSES.values())
        source = self._source(record_index.DOCUMENTS)
        found = await self._fetch(by_ids(source, ids))
        self.show(found)
        rows = {row["id"]: row for row in found}
        return [rows.get(document) for document in ids]

    async def places(self, document: Row) -> Places:
        """The entries of a document; noted as shown by whoever shows them."""
        self.reading.ask(RecordClass)
        sight = self.reading.sight
        where = [equal("document", document["id"])]
        of_it = {
            "document": document["id"],
            "recipient": document["recipient"],
            "sender": document["facility"],
        }
        whole = Source(record_index.PLACES, self._schema(), sight.whole())
        seen = await self._fetch(self._source(record_index.PLACES).all(where))
        all_of_it = await self._fetch(whole.all(where))
        hidden = set(sight.left_out.hidden)
        return Places(
            seen=seen,
            all_seen=all(
                covers(
                    sight.grounds,
                    RecordClass(row["recordClass"]),
                    [Flag(flag) for flag in row["flags"]],
                    **of_it,
                )
                and (row["sender"], row["fact"]) not in hidden
                for row in all_of_it
            ),
        )

    async def made_at(self, documents: Collection[UUID]) -> Mapping[UUID, datetime]:
        """When the senders made these Bundles, of which the reading shows entries; one that was erased is not there."""
        source = Source(record_index.DOCUMENTS, self._schema(), self.reading.sight.whole())
        found = await self._fetch(source.all([one_of("document", list(documents))]))
        return {row["id"]: row["timestamp"] for row in found}

    async def received(self, document: Row) -> bytes | None:
        """The bytes of a document as they were received; None when they were erased.

        Raises RequestRefused when the operation has opened too much already.
        """
        async with self.context.turn:
            body = await self.application.payload(document["owner"], document["received"])
        self._charge(len(body or b"") // BYTES_OF_A_ROW)
        return body

    async def timeline(
        self,
        *,
        first: int,
        after: str | None,
        classes: Sequence[RecordClass] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> list[tuple[str, Row, list[Any]]]:
        """Entries and documents in one order of time: ("entry" or "document", row, cursor values)."""
        where = self._asked(classes) + between("sort_at", start, end)
        entries, documents = self._source(record_index.ENTRIES), self._source(record_index.DOCUMENTS)
        cursor = opened(self.application.seals, self.use("timeline"), after)
        places = await self._fetch(timeline(entries, documents, where, where, page_size(first), cursor))
        rows: dict[tuple[str, UUID], Row] = {}
        for kind, source in (("entry", entries), ("document", documents)):
            if ids := [place["id"] for place in places if place["_kind"] == kind]:
                found = await self._fetch(by_ids(source, ids))
                rows |= {(kind, row["id"]): row for row in found}
        # What was cancelled between the two looks is not there any more.
        there = [place for place in places if (place["_kind"], place["id"]) in rows]
        self.show([rows[place["_kind"], place["id"]] for place in there[:first]])
        return [(place["_kind"], rows[place["_kind"], place["id"]], place["_cursor"]) for place in there]

    async def series(
        self, codes: Sequence[str], start: datetime | None, end: datetime | None
    ) -> tuple[Group | None, Sequence[Row]]:
        """Results under these codes and all others of their groups, oldest first, at most SERIES_MAX of the newest.

        The group, when all codes are of one. Groups are those of the release that the generation is filled under.
        """
        registry = await self.application.codes(self.reading.stands.codes)
        groups = registry.groups_asked(codes)
        plain = [code for code in codes if code not in registry.groups]
        of_them = any_of(one_of("analyte", groups), overlaps("codes", plain))
        where = self._asked(RESULT_CLASSES) + between("sort_at", start, end) + [of_them]
        source = self._source(record_index.ENTRIES)
        found = await self._fetch(source.page(where, SERIES_MAX - 1, None))
        self.show(found)
        same = len(groups) == 1 and all(registry.groups_asked([code]) for code in codes)
        return registry.groups[groups[0]] if same else None, found[::-1]

    async def summary(self, record_class: RecordClass) -> Sequence[Row]:
        """The current entries of one of the six informations, newest first; of results, the last three of each analyte.

        Diagnoses and allergies from the ready-made summary where it stands on the same position; both are equal.
        """
        return await self._summaries.load(record_class)

    async def _load_summaries(self, classes: list[RecordClass]) -> list[Sequence[Row]]:
        """All classes that a query asks for: those that lie ready in one statement, the others in one more."""
        self.reading.ask(classes)
        ready = await self._ready_summary([one for one in classes if one in READY_CLASSES])
        indexed = classes if ready is None else [one for one in classes if one not in READY_CLASSES]
        rows = [*(ready or ()), *(await self._indexed_summary(indexed) if indexed else ())]
        return [self._class_of(rows, record_class) for record_class in classes]

    def _class_of(self, rows: Sequence[Row], record_class: RecordClass) -> Any:
        """The class's rows; an error for this class alone when they are more than an answer may hold."""
        found = [row for row in rows if row["recordClass"] == record_class]
        try:
            self.show(found, charged=record_class not in NEVER_TOO_MANY)
        except RequestRefused as refused:
            return refused
        return found

    async def _indexed_summary(self, classes: Sequence[RecordClass]) -> Sequence[Row]:
        source = self._source(record_index.ENTRIES)
        return await self._fetch(source.newest_of_each(classes, "analyte", LAST))

    async def _ready_summary(self, classes: Sequence[RecordClass]) -> Sequence[Row] | None:
        sight = self.reading.sight
        if (
            not classes
            or sight.others
            or any(self._in_letters(record_class) for record_class in classes)
            or any(ground.emergency_table for ground in sight.grounds)
            or sight.recorded_by
            or sight.left_out != LeftOut()
            or sight.position != self.reading.stands.position
        ):
            return None
        stands = await self.application.stands(patient_summary.NAME, sight.patient)
        if stands.position != sight.position:
            return None
        schema = f"{patient_summary.NAME}_g{stands.generation}"
        source = guarded(patient_summary.VIEW, schema, sight)
        found = await self._fetch(source.all([one_of("record_class", classes), equal("in_force", True)]))
        after = await self.application.stands(patient_summary.NAME, sight.patient)
        if (after.generation, after.position) != (stands.generation, stands.position):
            return None  # it moved on while it was read
        entries = [
            entry
            for row in found
            for entry in orjson.loads(row["entries"])
            if entry["visibleUntil"] is None or as_moment(entry["visibleUntil"]) > sight.decided_at
        ]
        for entry in entries:
            entry["id"], entry["documentId"] = UUID(entry["id"]), UUID(entry["documentId"])
        entries.sort(key=lambda entry: (as_moment(entry["sortAt"]), entry["id"]), reverse=True)
        return entries

    def _in_letters(self, record_class: RecordClass) -> bool:
        """Whether referrals may show more of a class than the grounds beyond them: what lies ready knows of none."""
        grounds = self.reading.sight.grounds
        beyond = beyond_referrals(grounds)
        return any(
            record_class in ground.classes and not covers(beyond, record_class, ground.flags)
            for ground in grounds
            if ground.recipient is not None
        )

    async def last_checkup(self) -> datetime | None:
        """When the newest check-up was made that the reading may know of (aware)."""
        self.reading.ask([RecordClass.CHECKUP_REPORT])
        where = [equal("record_class", RecordClass.CHECKUP_REPORT)]
        found = await self._fetch(self._source(record_index.CHECKUP_DATES).page(where, 1, None))
        return (found[0]["dated"] or found[0]["timestamp"]) if found else None

    async def patient(self) -> Row | None:
        """Name, kana, birth date and sex, as the last facility wrote them."""
        patient = self.reading.sight.patient
        if await self.application.erased_behind(identities.NAME, patient):
            return None
        schema = await self.application.live_schema(identities.NAME)
        source = Source(identities.VIEW, schema, self.reading.sight.person())
        found = await self._fetch(source.page([], 1, None))
        return found[0] if found else None

    def use(self, kind: str) -> str:
        """What a cursor is bound to: the list, and the patient."""
        return f"{kind}/{self.reading.sight.patient}"

    def _asked(self, classes: Sequence[RecordClass] | None) -> list[Composable]:
        self.reading.ask(RecordClass if classes is None else classes)
        return [] if classes is None else [one_of("record_class", classes)]

    def _source(self, view: View) -> Source:
        """A view of the index, in the one generation that this reading reads."""
        return guarded(view, self._schema(), self.reading.sight)

    def _schema(self) -> str:
        return f"{record_index.NAME}_g{self.reading.sight.generation}"

    async def _fetch(self, statement: Composed) -> list[dict[str, Any]]:
        """One statement at a time for each operation: one caller must not take all connections.

        Raises RequestRefused when the operation has shown too much already: nothing more is asked for it.
        """
        async with self.context.turn:
            self._charge(1)
            return await self.application.fetch(statement)

    def _charge(self, rows: int) -> None:
        self.context.rows_left = max(-1, self.context.rows_left - rows)
        if self.context.rows_left < 0:
            raise RequestRefused(
                "TOO_COSTLY", f"the answer would hold more than {ROWS_MAX} rows: ask for less"
            )

    async def _page(
        self, source: Source, use: str, where: list[Composable], first: int, after: str | None
    ) -> Page:
        cursor = opened(self.application.seals, use, after)
        found, count = await asyncio.gather(
            self._fetch(source.page(where, page_size(first), cursor)),
            self._fetch(source.count(where)),
        )
        self.show(found[:first])
        return [(row, row["_cursor"]) for row in found], count[0]["n"]

    def show(self, rows: Sequence[Row], *, charged: bool = True) -> None:
        """Note what goes into the answer. Raises RequestRefused when the operation shows too much."""
        if charged:
            self._charge(len(rows))
        self.reading.show(
            (row["id"], RecordClass(row["recordClass"])) for row in rows if row["recordClass"] is not None
        )


def as_moment(value: datetime | str) -> datetime:
    """A time of a row: the ready-made summary holds them as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
