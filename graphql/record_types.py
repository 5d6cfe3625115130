"""A patient's record as clinicians and the patient read it."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

import msgspec
import orjson
import strawberry
from strawberry.types import Info

from tsuzuri.domain import record
from tsuzuri.domain.results import is_abnormal
from tsuzuri.domain.vocabulary import TERMS
from tsuzuri.graphql.attachments import attachment_url
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import DocumentKind, Flag, RecordClass
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.listing import ListedConnection
from tsuzuri.graphql.nodes import Node, NodeKind, NodeName
from tsuzuri.graphql.paging import (
    ENTRIES_MAX,
    After,
    Before,
    FirstEntries,
    LastEntries,
    stretch,
)
from tsuzuri.graphql.received_documents import document_html
from tsuzuri.graphql.record_reader import RecordReader, as_moment

T = TypeVar("T")


@strawberry.type(description="One code, as the sender wrote it.")
class Coding:
    system: str = strawberry.field(description="URI of the code system.")
    code: str = strawberry.field(description="The code.")
    display: str | None = strawberry.field(description="Its name, as sent.")


@strawberry.type(description="A result: a number with its unit, or words.")
class Value:
    text: str = strawberry.field(description="Readable in one line.")
    number: str | None = strawberry.field(description="The number with the sender's decimals, e.g. 0.40.")
    comparator: str | None = strawberry.field(description="<, <=, >=, >: the number is a bound.")
    unit: str | None = strawberry.field(description="Unit, as sent.")


@strawberry.type(description="基準範囲: the laboratory's own reference range.")
class ReferenceRange:
    low: str | None = strawberry.field(description="Lower end.")
    high: str | None = strawberry.field(description="Upper end.")
    text: str | None = strawberry.field(description="In words.")


@strawberry.type(description="One fact of the record: a diagnosis, an allergy, a result, a prescription.")
class Entry(Node):
    reader: strawberry.Private[RecordReader]
    facility_number: strawberry.Private[str]
    sender_number: strawberry.Private[str]
    document_uuid: strawberry.Private[UUID]
    stated_value: strawberry.Private[record.Value | None]
    stated_range: strawberry.Private[record.ReferenceRange | None]

    id: strawberry.ID = strawberry.field(description="Stays when the facility replaces its Bundle.")
    record_class: RecordClass = strawberry.field(description="情報の種類: what it is about.")
    name: str = strawberry.field(description="What to read first.")
    codings: list[Coding] = strawberry.field(description="All codes, as sent.")
    effective: str | None = strawberry.field(description="When it holds or was measured, as sent.")
    effective_at: datetime | None = strawberry.field(description="Its earliest moment, UTC.")
    issued_at: datetime | None = strawberry.field(description="When the sender recorded it, UTC.")
    registered_at: datetime = strawberry.field(description="When it was registered here, UTC.")
    department: str | None = strawberry.field(description="診療科.")
    author: str | None = strawberry.field(description="Who stated it.")
    status: str | None = strawberry.field(description="FHIR's status or clinicalStatus code.")
    verification: str | None = strawberry.field(description="FHIR's verificationStatus code.")
    flags: list[Flag] = strawberry.field(description="長期保存, 未告知, 未提供.")
    flagged_at: datetime | None = strawberry.field(description="When the flags were set, UTC.")
    value: Value | None = strawberry.field(description="The result, of tests.")
    interpretation: str | None = strawberry.field(description="H, L, N, …: the laboratory's own mark.")
    reference_range: ReferenceRange | None = strawberry.field(description="基準範囲.")
    ended: str | None = strawberry.field(description="When it ended, as sent; of diagnoses.")
    detail: str | None = strawberry.field(description="Dosage, reaction or note, in one line.")
    resource_type: str = strawberry.field(description="FHIR resource type it was taken from.")
    document_id: strawberry.ID = strawberry.field(description="The registered Bundle that brought it.")
    document_kind: DocumentKind = strawberry.field(description="文書種別 of that Bundle.")

    @strawberry.field(
        description="Out of its range: by the laboratory's own mark, else by number and range. Null: nobody can tell."
    )
    async def abnormal(self) -> bool | None:
        return is_abnormal(self.stated_value, self.interpretation, self.stated_range)

    @strawberry.field(description="情報の種類, in Japanese.")
    async def class_term(self) -> str:
        return TERMS[self.record_class]

    @strawberry.field(description="医療機関: who states it, as the entry says.")
    async def facility(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.facility_number)

    @strawberry.field(
        description="医療機関: who registered it, which the service knows; `facility` is what it says."
    )
    async def registered_by(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.sender_number)

    @strawberry.field(description="The document it was taken from, when you may see that too.")
    async def document(self) -> Annotated["Document", strawberry.lazy(__name__)] | None:
        row = await self.reader.document(self.document_uuid)
        return None if row is None else Document.of(self.reader, row)

    def node_name(self) -> NodeName:
        return NodeName(NodeKind.ENTRY, self.id, self.reader.reading.sight.patient)

    @classmethod
    def of(cls, reader: RecordReader, row: Mapping[str, Any]) -> Self:
        """From a row of the index or from the ready-made summary: both have the fields of the view."""
        value = _stored(row["value"], record.Value)
        reference = _stored(row["referenceRange"], record.ReferenceRange)
        return cls(
            reader=reader,
            facility_number=row["facility"],
            sender_number=row["sender"],
            document_uuid=row["documentId"],
            stated_value=value,
            stated_range=reference,
            id=strawberry.ID(str(row["id"])),
            record_class=RecordClass(row["recordClass"]),
            name=row["name"],
            codings=[Coding(**coding) for coding in orjson.loads(row["codings"])],
            effective=row["effective"],
            effective_at=_maybe(row["effectiveAt"]),
            issued_at=_maybe(row["issuedAt"]),
            registered_at=as_moment(row["registeredAt"]),
            department=row["department"],
            author=row["author"],
            status=row["status"],
            verification=row["verification"],
            flags=[Flag(flag) for flag in row["flags"]],
            flagged_at=_maybe(row["flaggedAt"]),
            value=_value(value) if value else None,
            interpretation=row["interpretation"],
            reference_range=_reference_range(reference) if reference else None,
            ended=row["ended"],
            detail=row["detail"],
            resource_type=row["resourceType"],
            document_id=strawberry.ID(str(row["documentId"])),
            document_kind=DocumentKind(row["documentKind"]),
        )


@strawberry.type(description="Entries, newest first.")
class EntryConnection(ListedConnection[Entry]):
    pass


@strawberry.type(description="A file that a document carries or names.")
class Attachment:
    title: str = strawberry.field(description="Its title.")
    content_type: str | None = strawberry.field(description="MIME type, as sent.")
    url: str | None = strawberry.field(
        description="GET it with your bearer token; that read is in the audit trail too. 404: it lies elsewhere, the "
        "document was replaced, or you may not see it. Null for the patient: she reads entries, not files."
    )


@strawberry.type(
    description="A registered document: 診療情報提供書, 退院時サマリー, 健診結果報告書, 患者サマリー."
)
class Document(Node):
    reader: strawberry.Private[RecordReader]
    facility_number: strawberry.Private[str]
    recipient_number: strawberry.Private[str | None]
    row: strawberry.Private[Mapping[str, Any]]

    id: strawberry.ID = strawberry.field(description="Stays when the facility replaces it.")
    kind: DocumentKind = strawberry.field(description="文書種別.")
    title: str = strawberry.field(description="Composition.title.")
    department: str | None = strawberry.field(description="診療科.")
    author: str | None = strawberry.field(description="Who wrote it.")
    dated: datetime | None = strawberry.field(description="Composition.date, UTC.")
    registered_at: datetime = strawberry.field(description="When this version was registered here, UTC.")
    attachments: list[Attachment] = strawberry.field(description="Files it carries or names.")

    @strawberry.field(description="医療機関: who registered it.")
    async def facility(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.facility_number)

    @strawberry.field(description="紹介先: whom a referral is addressed to.")
    async def recipient(self, info: Info[Context, None]) -> Facility | None:
        if self.recipient_number is None:
            return None
        return await info.context.facilities.load(self.recipient_number)

    @strawberry.field(
        description="Readable: a page of HTML that runs and fetches nothing. It shows the entries that you may see; "
        "the sender's own words only to who may see all of it, and never to the patient. Null: it was erased."
    )
    async def html(self) -> str | None:
        return await document_html(self.reader, self.row)

    @strawberry.field(description="What was taken out of it.")
    async def entries(
        self,
        first: FirstEntries = None,
        after: After = None,
        last: LastEntries = None,
        before: Before = None,
    ) -> EntryConnection:
        wanted = stretch(first, after, last, before, ENTRIES_MAX)
        listed = await self.reader.entries(wanted, partial(Entry.of, self.reader), document=UUID(self.id))
        return EntryConnection(listed=listed)

    def node_name(self) -> NodeName:
        return NodeName(NodeKind.DOCUMENT, self.id, self.reader.reading.sight.patient)

    @classmethod
    def of(cls, reader: RecordReader, row: Mapping[str, Any]) -> Self:
        return cls(
            reader=reader,
            facility_number=row["facility"],
            recipient_number=row["recipient"],
            row=row,
            id=strawberry.ID(str(row["id"])),
            kind=DocumentKind(row["kind"]),
            title=row["title"],
            department=row["department"],
            author=row["author"],
            dated=row["dated"],
            registered_at=row["registeredAt"],
            attachments=[
                Attachment(
                    title=sent["title"],
                    content_type=sent["content_type"],
                    url=attachment_url(reader, row, number),
                )
                for number, sent in enumerate(orjson.loads(row["attachments"]), start=1)
            ],
        )


@strawberry.type(description="Documents, newest first.")
class DocumentConnection(ListedConnection[Document]):
    pass


TimelineItem = Annotated[
    Entry | Document, strawberry.union("TimelineItem", description="An entry or a document.")
]


def timeline_item(reader: RecordReader, kind: str, row: Mapping[str, Any]) -> Entry | Document:
    """*kind*: "entry" or "document"."""
    return (Entry if kind == "entry" else Document).of(reader, row)


def _stored(body: str | None, kind: type[T]) -> T | None:
    return msgspec.json.decode(body, type=kind) if body else None


def _value(value: record.Value) -> Value:
    return Value(text=value.text, number=value.number, comparator=value.comparator, unit=value.unit)


def _reference_range(told: record.ReferenceRange) -> ReferenceRange:
    return ReferenceRange(low=told.low, high=told.high, text=told.text)


def _maybe(value: datetime | str | None) -> datetime | None:
    return None if value is None else as_moment(value)
