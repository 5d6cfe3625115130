"""What a received Bundle says, in our words: one Document, its Entries, and whom they are about.

Plain values, read once at intake and stored beside the Bundle; nothing here parses FHIR. What a Bundle has many of
is a Struct: a projection reads them all again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from tsuzuri.domain.identifiers import (
    InsuredPersonNumber,
    LocalNumber,
    NationalNumber,
    PatientNumber,
    PublicAssistanceNumber,
)
from tsuzuri.domain.vocabulary import DocumentKind, Flag, RecordClass


class Coding(Struct, frozen=True, kw_only=True, gc=False):
    """One code of a CodeableConcept, kept as it was sent."""

    system: str
    code: str
    display: str | None = None


class Value(Struct, frozen=True, kw_only=True, gc=False):
    """A result: a number with its unit, or words. `number` keeps the sender's decimals ("0.40")."""

    text: str  # readable in one line: "6.9 %", "陰性"
    number: str | None = None
    comparator: str | None = None  # "<": the number is a bound, not the result
    unit: str | None = None
    coding: Coding | None = None


class ReferenceRange(Struct, frozen=True, kw_only=True, gc=False):
    """基準範囲, as the laboratory stated it."""

    low: str | None = None
    high: str | None = None
    text: str | None = None


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One fact of the record, taken from one FHIR resource."""

    key: str  # names the fact inside its Bundle; the same fact keeps it when the Bundle is replaced
    record_class: RecordClass
    resource_type: str  # FHIR: Condition, AllergyIntolerance, Observation, MedicationRequest, ...
    resource_place: int  # index in Bundle.entry of the source resource
    source: str | None = (
        None  # resourceInstance-identifier: the sender's own name for it, the same in every Bundle
    )
    name: str  # what a clinician reads first: code.text, else a display, else a code
    codings: tuple[Coding, ...] = ()
    effective: str | None = (
        None  # onset, effective time or authoredOn, as sent ("2018", "2021-07-05T11:19:41+09:00")
    )
    effective_at: datetime | None = None  # its earliest moment, aware, UTC; no zone means Japan's
    issued_at: datetime | None = None  # when the sender recorded or issued it, aware, UTC
    facility: str  # 保険医療機関番号, 10 digits
    department: str | None = None  # 診療科
    author: str | None = None  # who stated it, by name
    status: str | None = None  # clinicalStatus or status, FHIR's code
    verification: str | None = None  # verificationStatus, FHIR's code
    flags: tuple[Flag, ...] = ()
    flagged_at: datetime | None = None  # when the flags were set or last changed, aware, UTC
    value: Value | None = None
    interpretation: str | None = None  # H, L, N, ... (HL7 v3 ObservationInterpretation)
    reference_range: ReferenceRange | None = None
    ended: str | None = None  # abatement, as sent
    ended_at: datetime | None = None  # its earliest moment, aware, UTC
    detail: str | None = None  # one readable line more: dosage, reaction, note

    @property
    def fact(self) -> str:
        """What the sender calls it, or its own key: the same fact in two Bundles of one sender."""
        return f"{self.record_class}/{self.source or self.key}"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file a document carries or names."""

    title: str
    content_type: str | None = None
    resource_place: int  # index in Bundle.entry


@dataclass(frozen=True, kw_only=True)
class Document:
    """The Bundle as a whole."""

    kind: DocumentKind
    system: str  # Bundle.identifier.system
    value: str  # Bundle.identifier.value
    timestamp: datetime  # Bundle.timestamp, aware, UTC
    facility: str  # who registers it, 10 digits
    title: str
    facility_name: str | None = None
    department: str | None = None
    author: str | None = None
    recipient: str | None = None  # the facility a referral is addressed to, 10 digits
    recipient_name: str | None = None
    dated: datetime | None = None  # Composition.date, aware, UTC
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Demographics:
    """Whom a Bundle is about, as the sender wrote it."""

    name: str
    kana: str | None = None
    birth_date: str | None = None  # FHIR date, may be partial
    sex: str | None = None  # FHIR administrative-gender code
    postal_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Period:
    """When a number holds: Identifier.period. Aware, UTC; None: not stated."""

    since: datetime | None = None  # inclusive
    until: datetime | None = None  # exclusive


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The patient as one Bundle names her: at least one number."""

    insured_person: InsuredPersonNumber | None = None
    public_assistance: PublicAssistanceNumber | None = None
    local: LocalNumber | None = None
    periods: Mapping[PatientNumber, Period] = field(default_factory=dict)  # of those that state one
    demographics: Demographics

    @property
    def national(self) -> tuple[NationalNumber, ...]:
        """Her numbers that mean the same person everywhere, the one that counts most first."""
        return tuple(n for n in (self.insured_person, self.public_assistance) if n is not None)

    @property
    def numbers(self) -> tuple[PatientNumber, ...]:
        """All her numbers, the one that counts most first."""
        return self.national if self.local is None else (*self.national, self.local)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Everything one Bundle says."""

    document: Document
    subject: Subject
    entries: tuple[Entry, ...]
    rules: str  # the version of the rules it was checked against
    warnings: tuple[str, ...] = ()  # what was odd but accepted; never holds a patient's values
