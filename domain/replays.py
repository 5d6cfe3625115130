"""An access is run again as it was: does the answer agree with what was recorded, and if not, what explains that?

Pure. What explains a difference is named whatever the verdict is; DIFFERENT is left for what nothing explains.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tsuzuri.domain.vocabulary import RecordClass


class Verdict(StrEnum):
    """What came of a replay."""

    SAME_ANSWER = "SAME_ANSWER"
    SAME_ENTRIES = "SAME_ENTRIES"  # written otherwise, for which a change is named
    SAME_REFUSAL = "SAME_REFUSAL"
    VERSION_CHANGED = "VERSION_CHANGED"  # other entries, or none: schema or projections are of other versions
    ERASED = "ERASED"
    NOT_COMPARABLE = "NOT_COMPARABLE"  # there was no answer then, or not all of one
    NOT_REPLAYABLE = "NOT_REPLAYABLE"  # see Hindrance
    DIFFERENT = "DIFFERENT"  # nothing explains it: the log, the index or the trail is not what it was


class Hindrance(StrEnum):
    """Why an access cannot be run again."""

    TRAIL_READ = "TRAIL_READ"  # a look at the trail: no record was read, and the trail has gone on
    WATCH = "WATCH"  # somebody was told that something had changed, and of no content
    OVER_PATIENTS = "OVER_PATIENTS"  # one list over patients: the others on it are not in this one's trail
    NOT_A_QUERY = "NOT_A_QUERY"  # read on the way to a change: it is not made twice
    NOT_KEPT = "NOT_KEPT"  # recorded by a program that did not keep what a replay needs
    DOCUMENT_NOT_KEPT = "DOCUMENT_NOT_KEPT"  # too long, or it names several patients in its text
    VARIABLES_NOT_KEPT = (
        "VARIABLES_NOT_KEPT"  # too long, or they name several patients in other ways than by key
    )
    ACCESS_ERASED = "ACCESS_ERASED"
    EVENT_UNREADABLE = "EVENT_UNREADABLE"  # an event of the record cannot be applied by this program
    CONSENTS_ERASED = "CONSENTS_ERASED"  # what a refusal rested on


SCHEMA, PROGRAM, SEALS, BESIDE = "schema", "program", "seals", "beside the record"
BEARING = frozenset({SCHEMA, SEALS, "record_index", "patient_summary", "referrals", "correction_requests"})
"""What may show other entries when it is another. The rest only writes otherwise what is shown."""


@dataclass(frozen=True)
class Change:
    """What is otherwise than it was. *what*: a name above, or that of a projection."""

    what: str
    then: str
    now: str


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """Something of the record that was erased since. *document*: None for all of it."""

    event: UUID
    document: UUID | None
    at: datetime  # aware, UTC
    classes: frozenset[RecordClass]  # of which it may have held something


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What was shown, by digests."""

    answer_sha256: str
    entries_sha256: str
    entries: int


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A replay, and what it rests on."""

    access: UUID
    verdict: Verdict
    patient: UUID | None = None
    hindrance: Hindrance | None = None
    then: Shown | None = None
    now: Shown | None = None
    changes: tuple[Change, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    entries: tuple[UUID, ...] = ()  # shown by the replay
    content: str | None = field(default=None, repr=False)  # JSON, of what was answered at the access's place


def judge(
    then: Shown,
    now: Shown,
    *,
    asked: Collection[RecordClass],
    changes: Collection[Change],
    erasures: Collection[Erasure],
    failed: bool,
) -> Verdict:
    """*asked*: the classes that were looked for. *failed*: the answer was not whole then, by chance."""
    if now.answer_sha256 == then.answer_sha256:
        return Verdict.SAME_ANSWER
    if now.entries <= then.entries and any(_bears(one, asked) for one in erasures):
        return Verdict.ERASED
    if now.entries_sha256 == then.entries_sha256 and changes:
        return Verdict.SAME_ENTRIES
    if any(one.what in BEARING for one in changes):
        return Verdict.VERSION_CHANGED
    return Verdict.NOT_COMPARABLE if failed else Verdict.DIFFERENT


def _bears(erasure: Erasure, asked: Collection[RecordClass]) -> bool:
    return erasure.document is None or not erasure.classes.isdisjoint(asked)
