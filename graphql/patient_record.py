"""The answer to `patientRecord`: the record under one decision, or a refusal, which is an answer too."""

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated, Self, TypeVar
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain import accesses
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import AccessBasis, Flag, RecordClass, RefusalReason
from tsuzuri.graphql.group_types import EntryGroup, entry_groups
from tsuzuri.graphql.inputs import uuid_of
from tsuzuri.graphql.nodes import Node, NodeKind, NodeName
from tsuzuri.graphql.paging import (
    ENTRIES_MAX,
    After,
    Before,
    CountedConnection,
    First,
    FirstEntries,
    Last,
    LastEntries,
    page,
    stretch,
)
from tsuzuri.graphql.positions import sealed_position
from tsuzuri.graphql.readings import Reading, RefusedReading
from tsuzuri.graphql.record_changes import RecordChangeConnection, changed_since, present
from tsuzuri.graphql.record_filters import DocumentFilter, EntryFilter, TimelineFilter
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.record_types import (
    Document,
    DocumentConnection,
    Entry,
    EntryConnection,
    TimelineItem,
    timeline_item,
)

T = TypeVar("T")
From = Annotated[datetime | None, strawberry.argument(name="from", description="From this moment on.")]
To = Annotated[datetime | None, strawberry.argument(name="to", description="Before this moment.")]


@strawberry.type(description="One reason why you may see this, and what it covers.")
class Ground:
    basis: AccessBasis = strawberry.field(description="Why: consent, referral, self, …")
    classes: list[RecordClass] = strawberry.field(description="What it covers.")
    flags: list[Flag] = strawberry.field(description="Entries with these marks are shown too.")
    because: strawberry.ID | None = strawberry.field(description="The event that justifies it.")
    recipient: str | None = strawberry.field(
        description="医療機関番号: it covers only referrals addressed to this facility, and what they hold."
    )
    document: strawberry.ID | None = strawberry.field(description="It covers only this one referral.")
    sender: str | None = strawberry.field(
        description="医療機関番号: it covers only what this facility registered itself."
    )
    emergency_table: bool = strawberry.field(
        description="救急: of these classes only what the first step shows; widenEmergency opens the rest."
    )

    @classmethod
    def of(cls, ground: accesses.Ground) -> Self:
        because = None if ground.because is None else strawberry.ID(str(ground.because))
        return cls(
            basis=ground.basis,
            classes=list(ground.classes),
            flags=list(ground.flags),
            because=because,
            recipient=ground.recipient,
            sender=ground.sender,
            emergency_table=ground.emergency_table,
            document=None if ground.document is None else strawberry.ID(str(ground.document)),
        )


@strawberry.type(description="What the answer stands on.")
class Standing:
    reading: strawberry.Private[Reading]
    sealed: strawberry.Private[str]

    @strawberry.field(description="Sealed position: give it as `asOf` or `minPosition` later.")
    async def position(self, info: Info[Context, None]) -> str:
        return _volatile(self.reading, info, self.sealed)

    @strawberry.field(description="When the last event of the index was recorded, UTC.")
    async def recorded_at(self, info: Info[Context, None]) -> datetime | None:
        return _volatile(self.reading, info, self.reading.stands.recorded_at)

    @strawberry.field(description="Age of the oldest event that the index lacks; 0 when it lacks none.")
    async def lag_seconds(self, info: Info[Context, None]) -> float:
        return _volatile(self.reading, info, round(self.reading.stands.lag_seconds, 3))


@strawberry.type(description="Who the patient is, as the last facility wrote it.")
class Patient(Node):
    id: strawberry.ID = strawberry.field(description="Our id; it tells nothing by itself.")
    name: str | None = strawberry.field(description="氏名.")
    kana: str | None = strawberry.field(description="カナ氏名.")
    birth_date: str | None = strawberry.field(description="生年月日, may be partial.")
    sex: str | None = strawberry.field(description="FHIR administrative-gender code.")

    def node_name(self) -> NodeName:
        return NodeName(NodeKind.PATIENT, self.id, UUID(self.id))

    @classmethod
    async def read(cls, reader: RecordReader) -> Self:
        row = await reader.patient()
        known = {name: row[field] if row else None for name, field in _PERSON.items()}
        return cls(id=strawberry.ID(str(reader.reading.sight.patient)), **known)


@strawberry.type(description="6情報: what is current, newest first. Results: the last three of each analyte.")
class Summary:
    reader: strawberry.Private[RecordReader]

    @strawberry.field(description="傷病名.")
    async def conditions(self) -> list[Entry] | None:
        return await self._entries(RecordClass.CONDITION)

    @strawberry.field(description="薬剤アレルギー等.")
    async def drug_allergies(self) -> list[Entry] | None:
        return await self._entries(RecordClass.DRUG_ALLERGY)

    @strawberry.field(description="その他アレルギー等.")
    async def other_allergies(self) -> list[Entry] | None:
        return await self._entries(RecordClass.OTHER_ALLERGY)

    @strawberry.field(description="感染症.")
    async def infections(self) -> list[Entry] | None:
        return await self._entries(RecordClass.INFECTION)

    @strawberry.field(description="検査.")
    async def lab_results(self) -> list[Entry] | None:
        return await self._entries(RecordClass.LAB_RESULT)

    @strawberry.field(description="処方.")
    async def prescriptions(self) -> list[Entry] | None:
        return await self._entries(RecordClass.PRESCRIPTION)

    @strawberry.field(description="傷病名 across facilities, what was confirmed last first.")
    async def condition_groups(self) -> list[EntryGroup] | None:
        return await entry_groups(self.reader, await self.reader.summary(RecordClass.CONDITION))

    @strawberry.field(
        description="薬剤アレルギー等 and その他アレルギー等 across facilities, what was confirmed last first."
    )
    async def allergy_groups(self) -> list[EntryGroup] | None:
        drugs, others = await asyncio.gather(
            self.reader.summary(RecordClass.DRUG_ALLERGY), self.reader.summary(RecordClass.OTHER_ALLERGY)
        )
        return await entry_groups(self.reader, [*drugs, *others])

    async def _entries(self, record_class: RecordClass) -> list[Entry] | None:
        """Each class by itself: one that is too large fails alone, and never takes the allergies with it."""
        return [Entry.of(self.reader, row) for row in await self.reader.summary(record_class)]


@strawberry.type(description="項目: results that may be compared, whatever the facility and its code.")
class CodeGroup:
    id: strawberry.ID = strawberry.field(description="A name in capitals, e.g. HBA1C: ask labSeries for it.")
    name: str = strawberry.field(description="In Japanese.")


@strawberry.type(description="A result over time, oldest first.")
class LabSeries:
    codes: list[str] = strawberry.field(description="The codes asked for.")
    group: CodeGroup | None = strawberry.field(description="Their group, when all are of one.")
    points: list[Entry] = strawberry.field(
        description="Results under any of them or of their groups, from all facilities."
    )


@strawberry.type(description="Entries and documents in one order of time, newest first.")
class TimelineConnection(CountedConnection[TimelineItem]):
    pass


@strawberry.type(description="A patient's record, as far as you may see it.")
class PatientRecord:
    reader: strawberry.Private[RecordReader]

    @strawberry.field(description="This read in the audit trail: quote it to an auditor.")
    async def access_id(self, info: Info[Context, None]) -> strawberry.ID:
        return _volatile(self._reading, info, strawberry.ID(str(self._reading.access_id)))

    @strawberry.field(description="Why you may see this.")
    async def grounds(self) -> list[Ground]:
        return [Ground.of(ground) for ground in self._reading.decision.grounds]

    @strawberry.field(description="What the answer stands on.")
    async def as_of(self) -> Standing:
        sealed = sealed_position(self.reader.application.seals, self._reading.sight)
        return Standing(reading=self._reading, sealed=sealed)

    @strawberry.field(
        description="True: something was just changed or taken back and is left out until the index has it."
    )
    async def incomplete(self) -> bool:
        return self._reading.incomplete

    @strawberry.field(description="Who the patient is.")
    async def patient(self) -> Patient:
        return await Patient.read(self.reader)

    @strawberry.field(description="6情報 at a glance.")
    async def summary(self) -> Summary:
        return Summary(reader=self.reader)

    @strawberry.field(
        description="健診: when the newest check-up was made; all that an emergency's first step shows."
    )
    async def last_checkup(self) -> datetime | None:
        return await self.reader.last_checkup()

    @strawberry.field(description="Entries, newest first.")
    async def entries(
        self,
        first: FirstEntries = None,
        after: After = None,
        last: LastEntries = None,
        before: Before = None,
        filter: EntryFilter | None = None,
    ) -> EntryConnection:
        wanted = stretch(first, after, last, before, ENTRIES_MAX)
        listed = await self.reader.entries(wanted, partial(Entry.of, self.reader), filter)
        return EntryConnection(listed=listed)

    @strawberry.field(description="One entry, when you may see it.")
    async def entry(self, id: strawberry.ID) -> Entry | None:
        row = await self.reader.entry(uuid_of(id, "an entry"))
        return None if row is None else Entry.of(self.reader, row)

    @strawberry.field(description="Documents, newest first.")
    async def documents(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: DocumentFilter | None = None,
    ) -> DocumentConnection:
        wanted = stretch(first, after, last, before)
        listed = await self.reader.documents(wanted, partial(Document.of, self.reader), filter)
        return DocumentConnection(listed=listed)

    @strawberry.field(description="One document, when you may see it.")
    async def document(self, id: strawberry.ID) -> Document | None:
        row = await self.reader.document(uuid_of(id, "a document"))
        return None if row is None else Document.of(self.reader, row)

    @strawberry.field(description="One result over time, across codes and facilities.")
    async def lab_series(
        self,
        codes: Annotated[
            list[str],
            strawberry.argument(description='Ids of groups, codes: "HBA1C", "code", "system|code".'),
        ],
        start: From = None,
        end: To = None,
    ) -> LabSeries:
        group, rows = await self.reader.series(codes, start, end)
        return LabSeries(
            codes=codes,
            group=CodeGroup(id=strawberry.ID(group.id), name=group.name_ja) if group else None,
            points=[Entry.of(self.reader, row) for row in rows],
        )

    @strawberry.field(description="Entries and documents in one order of time, newest first.")
    async def timeline(
        self,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: TimelineFilter | None = None,
    ) -> TimelineConnection:
        wanted = stretch(first, after, last, before)
        found, count = await self.reader.timeline(wanted, filter)
        seals, use = self.reader.application.seals, self.reader.use("timeline")
        edges, info = page(
            seals, use, wanted, found, lambda row: timeline_item(self.reader, row["_kind"], row)
        )
        return TimelineConnection(edges=edges, page_info=info, count=count)

    @strawberry.field(
        description="What is otherwise than at a position that an answer gave out: what came, what was said anew or "
        "marked, what was not said again. Of what you may not see any more it tells nothing: ask `present`. Null: you "
        "see the record on other grounds than then, so read it anew."
    )
    async def changed_since(
        self,
        position: Annotated[str, strawberry.argument(description="`asOf.position` of an answer.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> RecordChangeConnection | None:
        return await changed_since(self.reader, position, stretch(first, after, last, before))

    @strawberry.field(
        description="Of these ids of entries and documents those that are there for you to see. Drop the others from "
        "any copy: nothing tells whether they were replaced, taken back, hidden, or never were."
    )
    async def present(self, ids: list[strawberry.ID]) -> list[strawberry.ID]:
        return await present(self.reader, ids)

    @property
    def _reading(self) -> Reading:
        return self.reader.reading


_PERSON = {"name": "name", "kana": "kana", "birth_date": "birthDate", "sex": "sex"}


@strawberry.type(description="The read did not happen. Not an error: an answer.")
class AccessRefused:
    access_id: strawberry.ID = strawberry.field(description="Quote this to an auditor.")
    reason: RefusalReason = strawberry.field(description="Only what you already know is told apart.")

    @classmethod
    def of(cls, refused: RefusedReading) -> Self:
        return cls(access_id=strawberry.ID(str(refused.access_id)), reason=refused.decision.reason)


PatientRecordResult = Annotated[PatientRecord | AccessRefused, strawberry.union("PatientRecordResult")]


def _volatile(reading: Reading, info: Info[Context, None], value: T) -> T:
    """A value that differs between two readings of the same record: left out of the answer's digest."""
    reading.volatile.add(tuple(info.path.as_list()))
    return value
