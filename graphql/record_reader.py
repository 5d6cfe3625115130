"""Fetches what one reading may show: the only way from a permitted read to rows."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from tsuzuri.domain.access import beyond_referrals, covers
from tsuzuri.domain.codes import Group
from tsuzuri.domain.retention import LAST
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, RESULT_CLASSES, Flag, RecordClass
from tsuzuri.graphql import facility_types
from tsuzuri.graphql.changes import ChangeKind, Changes
from tsuzuri.graphql.context import Context, LiesBeside, RequestRefused
from tsuzuri.graphql.listing import Listed, shown
from tsuzuri.graphql.loading import Loader
from tsuzuri.graphql.paging import Count, Found, Stretch, counted, cut, find, opened
from tsuzuri.graphql.readings import Reading, Shown
from tsuzuri.graphql.record_filters import DocumentFilter, EntryFilter, TimelineFilter
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
from tsuzuri.projections.sight import LeftOut, Sight
from tsuzuri.projections.sql import Composed
from tsuzuri.projections.view import View

SERIES_MAX = 1_000
NEVER_TOO_MANY = (RecordClass.DRUG_ALLERGY, RecordClass.OTHER_ALLERGY, RecordClass.INFECTION)
BYTES_OF_A_ROW = (
    16_384  # what opening a received document counts as, so that no operation opens hundreds of large ones
)

Row = Mapping[str, Any]
Node = Callable[[Row], Any]
"""What GraphQL shows of a row."""
Page = tuple[Found, Count]
"""Rows with their cursor values as `_cursor`; and what counts how many there are in all."""


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
        self._entries: Loader[UUID, Row | None] = Loader(self._load_entries)
        self._documents: Loader[UUID, Row | None] = Loader(self._load_documents)
        self._summaries: Loader[RecordClass, Sequence[Row]] = Loader(self._load_summaries)

    async def entries(
        self,
        wanted: Stretch,
        node: Node,
        filter: EntryFilter | None = None,
        *,
        document: UUID | None = None,
    ) -> Listed[Any]:
        filter = filter or EntryFilter()
        self.reading.ask(RecordClass if filter.classes is None else filter.classes)
        where = filter.where(await self._analytes(filter.groups))
        where += [equal("document", document)] if document is not None else []
        return self._listed("entries", record_index.ENTRIES, where, wanted, node)

    async def documents(
        self, wanted: Stretch, node: Node, filter: DocumentFilter | None = None
    ) -> Listed[Any]:
        filter = filter or DocumentFilter()
        kinds = DOCUMENT_CLASSES if filter.kinds is None else filter.kinds
        of_kinds = {DOCUMENT_CLASSES[kind] for kind in kinds if kind in DOCUMENT_CLASSES}
        self.reading.ask(of_kinds if filter.classes is None else of_kinds.intersection(filter.classes))
        return self._listed("documents", record_index.DOCUMENTS, filter.where(), wanted, node)

    async def entry(self, entry: UUID) -> Row | None:
        """The entry, when the reading may show it: one that it may not is like one that is not there."""
        return await self._entries.load(entry)

    async def document(self, document: UUID) -> Row | None:
        """The document, as `entry`."""
        return await self._documents.load(document)

    async def _load_entries(self, ids: list[UUID]) -> list[Row | None]:
        self.reading.ask(RecordClass)
        return await self._load(record_index.ENTRIES, ids)

    async def _load_documents(self, ids: list[UUID]) -> list[Row | None]:
        self.reading.ask(DOCUMENT_CLASSES.values())
        return await self._load(record_index.DOCUMENTS, ids)

    async def _load(self, view: View, ids: list[UUID]) -> list[Row | None]:
        """All that the resolvers of one level ask for, in one statement."""
        found = await self._fetch(by_ids(self._source(view), ids))
        self.show(found)
        rows = {row["id"]: row for row in found}
        return [rows.get(one) for one in ids]

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
        self.context.charge(len(body or b"") // BYTES_OF_A_ROW)
        return body

    async def timeline(self, wanted: Stretch, filter: TimelineFilter | None = None) -> Page:
        """Entries and documents in one order of time: `_kind` is "entry" or "document"."""
        filter = filter or TimelineFilter()
        self.reading.ask(RecordClass if filter.classes is None else filter.classes)
        where = filter.where()
        entries, documents = self._source(record_index.ENTRIES), self._source(record_index.DOCUMENTS)
        cursor = opened(self.application.seals, self.use("timeline"), wanted.cursor)
        asked = timeline(entries, documents, where, where, wanted.size, cursor, backward=wanted.backward)
        places = cut(await self._fetch(asked), wanted)
        rows: dict[tuple[str, UUID], Row] = {}
        for kind, source in (("entry", entries), ("document", documents)):
            if ids := [place["id"] for place in places.rows if place["_kind"] == kind]:
                found = await self._fetch(by_ids(source, ids))
                rows |= {(kind, row["id"]): row for row in found}
        # What was cancelled between the two looks is not there any more.
        there = [
            {**rows[key], **place} for place in places.rows if (key := (place["_kind"], place["id"])) in rows
        ]
        self.show(there)
        counts = [counted(self._fetch, source, where) for source in (entries, documents)]

        async def count() -> int:
            return sum([await one() for one in counts])

        return Found(there, places.more), count

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
        self.reading.ask(RESULT_CLASSES)
        where = [one_of("record_class", RESULT_CLASSES), *between("sort_at", start, end), of_them]
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
        lies = await self.beside(identities.NAME)
        if not lies.at_head and await self.application.erased_behind(identities.NAME, patient):
            return None
        source = Source(identities.VIEW, lies.schema, self.reading.sight.person())
        found = await self._fetch(source.page([], 1, None))
        return found[0] if found else None

    async def beside(self, projection: str) -> LiesBeside:
        """A projection that is read beside the index. Where it stands is noted, so that the read can be replayed."""
        lies = await self.application.beside(projection, self.reading.sight.patients)
        self.reading.beside[projection] = lies.positions
        return lies

    def use(self, kind: str) -> str:
        """What a cursor is bound to: the list, and the patient."""
        return f"{kind}/{self.reading.sight.patient}"

    async def _analytes(self, groups: Sequence[str] | None) -> Sequence[str] | None:
        """What groups mean under the release that the generation is filled under."""
        if groups is None:
            return None
        return (await self.application.codes(self.reading.stands.codes)).groups_asked(groups)

    def _source(self, view: View) -> Source:
        """A view of the index, in the one generation that this reading reads."""
        return guarded(view, self._schema(), self.reading.sight)

    def _schema(self) -> str:
        return self.reading.sight.index

    async def _fetch(self, statement: Composed) -> list[dict[str, Any]]:
        """One statement at a time for each operation: one caller must not take all connections.

        Raises RequestRefused when the operation has shown too much already: nothing more is asked for it.
        """
        async with self.context.turn:
            self.context.charge(1)
            return await self.application.fetch(statement)

    def _listed(
        self, kind: str, view: View, where: list[Composed], wanted: Stretch, node: Node
    ) -> Listed[Any]:
        return Listed(
            fetch=self._fetch,
            source=self._source(view),
            where=where,
            seals=self.application.seals,
            use=self.use(kind),
            wanted=wanted,
            node=node,
            noted=self.note,
            named=self._name,
            linking=self._linking,
        )

    def _name(self, documents: Sequence[Shown]) -> None:
        self.reading.ask(DOCUMENT_CLASSES.values())
        self.note([document for document in documents if document[1] is not None])

    async def _linking(self, type_name: str) -> Source:
        if type_name == "Document":
            return self._source(record_index.DOCUMENTS)
        served = self.reading.facilities
        return (
            await facility_types.source(self.application)
            if served is None
            else facility_types.source_of(served)
        )

    def show(self, rows: Sequence[Row], *, charged: bool = True) -> None:
        """Note what goes into the answer. Raises RequestRefused when the operation shows too much."""
        self.note([shown(row) for row in rows if row["recordClass"] is not None], charged=charged)

    def note(self, entries: Sequence[Shown], *, charged: bool = True) -> None:
        """As `show`, of what was written without a row of it being held here."""
        if charged:
            self.context.charge(len(entries))
        self.reading.show(entries)

    async def changes(self, then: Sight, wanted: Stretch) -> Page:
        """What is otherwise than it was then, what was recorded last first; `item` is the row that is there now."""
        self.reading.ask(RecordClass)
        index = self._schema()
        entries, documents = (
            (self._source(view), guarded(view, index, then))
            for view in (record_index.ENTRIES, record_index.DOCUMENTS)
        )
        source = Changes.of(entries, documents, self.reading.sight.marked_since(then, index))
        found = await find(self._fetch, source, [], self.application.seals, self.use("changes"), wanted)
        loads = {"entry": self.entry, "document": self.document}
        items = await asyncio.gather(
            *(loads[row["of"]](row["id"]) for row in found.rows if row["change"] != ChangeKind.GONE)
        )
        there = {row["id"]: row for row in items if row is not None}
        self.show([row for row in found.rows if row["change"] == ChangeKind.GONE])
        return (
            replace(found, rows=[row | {"item": there.get(row["id"])} for row in found.rows]),
            counted(self._fetch, source, []),
        )

    async def present(self, ids: Sequence[UUID]) -> Collection[UUID]:
        """Which of these ids are those of entries and documents that the reading may show."""
        self.reading.ask(RecordClass)
        found: list[Row] = []
        for view in (record_index.PLACES, record_index.DOCUMENTS):
            found += await self._fetch(by_ids(self._source(view), ids))
        self.show(found)
        return {row["id"] for row in found}


def as_moment(value: datetime | str) -> datetime:
    """A time of a row: the ready-made summary holds them as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
