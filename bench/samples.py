"""Events of about 2 KB of state, made of our own vocabulary: what is stored is real JSON with Japanese text.

A facility's entry lists ten departments with the words a hospital uses for itself; an access carries the variables
of a long query. The words are drawn at random, so that a server which compresses (the library's table does, ours
does not) finds no page repeated, and finds no less than Japanese text offers. Texts are drawn once, and events are made
before the clock starts.
"""

import json
import random
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from typing import Generic, TypeVar
from uuid import UUID, uuid4

from tsuzuri.domain.accesses import AccessAudit, AccessTold, Ground
from tsuzuri.domain.events import AccessPermitted, FacilityListed, originator
from tsuzuri.domain.vocabulary import (
    SIX_INFORMATIONS,
    AccessBasis,
    IdentifiedBy,
    PurposeOfUse,
    RecordClass,
    Role,
    Stream,
)

T = TypeVar("T")
EVENTS_A_STREAM = 10
READY = 4000  # more than one writer appends in a slice
STATE_BYTES = (1950, 2200)
"""What an encoded state measures; a script whose events do not keep to it stops."""

_WORDS = (
    "内科 循環器内科 消化器内科 呼吸器内科 腎臓内科 神経内科 血液内科 小児科 整形外科 脳神経外科 皮膚科 泌尿器科 "
    "産婦人科 眼科 耳鼻咽喉科 放射線科 麻酔科 リハビリテーション科 救急科 病理診断科 緩和ケア内科 外来 病棟 "
    "地域医療連携室 在宅療養支援 夜間休日 予約制 東館 西館 第一 第二 "
    "糖尿病 高血圧症 処方 検査結果 "
    "診療情報提供書 退院時サマリー"
).split()
_SHA256 = sha256(b"").hexdigest()


def text(draw: random.Random, size: int) -> str:
    """About *size* bytes of UTF-8."""
    text = ""
    while len(text.encode()) < size:
        text += draw.choice(_WORDS) + str(draw.randrange(1000))
    return text


_draw = random.Random(20261122)
_DEPARTMENTS = [tuple(text(_draw, 170) for _ in range(10)) for _ in range(200)]
_VARIABLES = [json.dumps({"search": text(_draw, 600)}, ensure_ascii=False) for _ in range(200)]


class Ahead(Generic[T]):
    """Events without end, some of them made beforehand."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self._ready: deque[T] = deque()

    def make(self) -> None:
        """Between two slices."""
        while len(self._ready) < READY:
            self._ready.append(next(self._source))

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self._ready.popleft() if self._ready else next(self._source)


def listings(events_a_stream: int = EVENTS_A_STREAM) -> Iterator[FacilityListed]:
    """Entries of facilities without end: so many versions of one stream, then the next stream."""
    while True:
        owner = originator(uuid4(), Stream.RECORD)
        for version in range(1, events_a_stream + 1):
            yield FacilityListed(
                originator_id=owner,
                originator_version=version,
                event_id=uuid4(),
                facility="1312345678",
                name="試験総合医療センター附属地域連携病院",
                kind="HOSPITAL",
                municipality="13101",
                municipality_name="東京都千代田区",
                departments=random.choice(_DEPARTMENTS),
                recorded_by="operator-ono",
            )


_TOLD = AccessTold(
    person="dr-sato",
    role=Role.CLINICIAN,
    facility="1312345678",
    purpose=PurposeOfUse.TREAT,
    bases=(AccessBasis.CONSENT,),
    classes_asked=SIX_INFORMATIONS,
    classes_permitted=SIX_INFORMATIONS,
)
_AUDITS = [
    AccessAudit(
        operation_sha256=_SHA256,
        operation_name="PatientOverview",
        variables=variables,
        grounds=(Ground(basis=AccessBasis.CONSENT, classes=SIX_INFORMATIONS, flags=(), because=uuid4()),),
        consent_version=1,
        read_at=1,
        as_of=None,
        entries_shown=50,
        shown_by_class={RecordClass.CONDITION: 20, RecordClass.LAB_RESULT: 30},
        shown_sha256=_SHA256,
        answer_sha256=_SHA256,
        incomplete=False,
        schema_sha256=_SHA256,
        projections={"record_index": 1},
        session="0" * 32,
        identified_by=IdentifiedBy.INSURED_PERSON,
        client="chart-viewer",
    )
    for variables in _VARIABLES
]


def access(patient: UUID) -> AccessPermitted:
    """A clinician read what the patient's consent covers. What is said of it is made beforehand, for both sides."""
    return AccessPermitted(
        originator_id=originator(patient, Stream.ACCESS),
        originator_version=0,
        event_id=uuid4(),
        patient=patient,
        told=_TOLD,
        audit=random.choice(_AUDITS),
    )
