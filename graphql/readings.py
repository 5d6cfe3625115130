"""What one operation read, gathered while it runs, so that it can be recorded before the answer leaves."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

import orjson

from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import IdentifiedBy, RecordClass, in_order
from tsuzuri.eventlog.appending import Guard
from tsuzuri.projections.freshness import Freshness
from tsuzuri.projections.sight import Sight

Path = tuple[str | int, ...]
NAMED = "patients named"  # beside variables, whose names hold no blank
Shown = tuple[bytes, RecordClass | None]
"""The id (of 16 bytes) and the class of what an answer shows."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A GraphQL operation as the trail names it."""

    sha256: str  # hex, of the document
    name: str | None
    variables: str  # JSON
    document: str | None = None  # its text; None: there is none, or none is kept
    names_nobody: bool = True  # the text, whatever the variables say
    patient_keys: frozenset[str] | None = None  # variables by which alone it names several patients

    def of_each(self) -> Self:
        """As each one's audit keeps it, which is hers, of an operation that names several patients.

        Of what names them the number and the digest alone; where anything else may name them, of all of it.
        """
        document = self.document if self.names_nobody else None
        digest = sha256(self.variables.encode()).hexdigest()
        if self.patient_keys is None:
            return replace(self, variables=f'{{"sha256":"{digest}"}}', document=document)
        given: dict[str, Any] = orjson.loads(self.variables)
        numbers = {
            name: len(value) if isinstance(value, list) else 1
            for name, value in given.items()
            if name in self.patient_keys
        }
        others = {name: value for name, value in given.items() if name not in self.patient_keys}
        kept = orjson.dumps(others | {NAMED: numbers, "their sha256": digest}).decode()
        return replace(self, variables=kept, document=document)


@dataclass(kw_only=True)
class Reading:
    """A permitted read of one patient's record: what it rests on, and what of it was shown."""

    access_id: UUID
    path: Path  # in the answer: the root field's, or her place in its list
    request: AccessRequest
    decision: Permitted
    sight: Sight
    guards: tuple[Guard, ...]  # nothing may have narrowed since, for the patient and who is the same person
    identified_by: IdentifiedBy = IdentifiedBy.ID  # how she was named
    as_of: str | None = None
    incomplete: bool = False
    problem: tuple[str, str] | None = None  # code and message: permitted, but not to be answered as asked
    stands: Freshness
    facilities: int | None = None  # the generation of their list that was served when this began
    linked: Mapping[UUID, int] = field(default_factory=dict)  # who else is the same person → consent version
    stood_at: Mapping[UUID, int] = field(default_factory=dict)  # see AccessAudit, of this and the next
    left_out_to: Mapping[UUID, int] = field(default_factory=dict)
    watch: UUID | None = None  # of what is told to somebody who watches: the access with which that began
    asked: set[RecordClass] = field(default_factory=set)
    shown: dict[bytes, RecordClass | None] = field(
        default_factory=dict
    )  # by id; None: of no class of the record
    volatile: set[Path] = field(default_factory=set)
    beside: dict[str, Mapping[UUID, int]] = field(default_factory=dict)
    """What was read beside the index, by its name → where it stood, of all who are the same person."""

    def ask(self, classes: Iterable[RecordClass]) -> None:
        """Say what a resolver looks for, whether it finds any or not."""
        self.asked.update(classes)

    def show(self, entries: Iterable[Shown]) -> None:
        """Say what a resolver has put into the answer."""
        self.shown.update(entries)

    def by_class(self) -> Mapping[RecordClass, int]:
        counts = Counter(self.shown.values())
        return {record_class: counts[record_class] for record_class in in_order(counts)}

    def shown_sha256(self) -> str:
        return sha256(b"".join(sorted(self.shown))).hexdigest()

    def answer_sha256(self, data: Mapping[str, Any] | None) -> str:
        """Of what was answered at its path as it will be sent, with the volatile fields blanked."""
        answer: Any = data
        for step in self.path:
            answer = None if answer is None else answer[step]
        return sha256(orjson.dumps(_blanked(answer, self.path, self.volatile))).hexdigest()


@dataclass(kw_only=True)
class RefusedReading:
    """A read that was refused."""

    access_id: UUID
    request: AccessRequest
    known_patient: UUID | None
    decision: Refused
    linked: Mapping[UUID, int] = field(default_factory=dict)  # who else is the same person → consent version
    identified_by: IdentifiedBy = IdentifiedBy.ID


@dataclass(kw_only=True)
class TrailReading:
    """A look at the audit trail, which is itself in the trail."""

    access_id: UUID
    patient: UUID | None
    shown: int = 0

    def show(self, rows: Sized) -> None:
        """Say what of it a resolver has put into the answer."""
        self.shown += len(rows)


@dataclass
class Readings:
    """All readings of one operation."""

    permitted: list[Reading] = field(default_factory=list)
    refused: list[RefusedReading] = field(default_factory=list)
    trail: list[TrailReading] = field(default_factory=list)
    several_named: bool = False  # the operation's variables name several patients
    failed: bool = (
        False  # there is no answer, or some of it is an error that the same question might not meet again
    )

    def __bool__(self) -> bool:
        return bool(self.permitted or self.refused or self.trail)


def _blanked(value: Any, path: Path, volatile: set[Path]) -> Any:
    if path in volatile:
        return None
    if isinstance(value, dict):
        return {key: _blanked(inner, (*path, key), volatile) for key, inner in value.items()}
    if isinstance(value, list):
        return [_blanked(inner, (*path, index), volatile) for index, inner in enumerate(value)]
    return value
