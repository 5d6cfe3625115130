"""訂正等請求・利用停止等請求 as the patient, the facility that must answer, and the operating body find them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain import correction_words
from tsuzuri.domain.correction_requests import CorrectionState as State
from tsuzuri.domain.correction_requests import waited_days
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import CorrectionKind, CorrectionOutcome, CorrectionState
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.paging import Connection
from tsuzuri.graphql.patient_record import Patient
from tsuzuri.graphql.record_reader import RecordReader

Row = Mapping[str, Any]


@strawberry.type(description="What the facility answered. It carries out itself what it agreed to.")
class CorrectionAnswer:
    outcome: CorrectionOutcome = strawberry.field(description="応じる, 一部に応じる, 応じない.")
    words: str | None = strawberry.field(
        description="In the facility's words; why, where it does not accept all."
    )
    answered_at: datetime = strawberry.field(description="When, UTC.")

    @classmethod
    def of(cls, row: Row) -> Self | None:
        if row["outcome"] is None:
            return None
        return cls(
            outcome=CorrectionOutcome(row["outcome"]), words=row["answer"], answered_at=row["answeredAt"]
        )


@strawberry.type(description="What everybody finds who reads of a request.")
class Correction:
    facility_number: strawberry.Private[str]

    id: strawberry.ID = strawberry.field(description="The request's id.")
    kind: CorrectionKind = strawberry.field(description="訂正, 利用停止, 第三者提供停止.")
    requested_at: datetime = strawberry.field(description="When it was made, UTC.")
    waited_days: int = strawberry.field(
        description="Whole days until it was answered or taken back, else until now."
    )

    @strawberry.field(description="Who must answer.")
    async def facility(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.facility_number)

    @classmethod
    def of(cls, row: Row, at: datetime, **more: Any) -> Self:
        """As it stands at a moment (aware)."""
        return cls(
            facility_number=row["facility"],
            id=strawberry.ID(str(row["id"])),
            kind=CorrectionKind(row["kind"]),
            requested_at=row["requestedAt"],
            waited_days=waited_days(row["requestedAt"], row["answeredAt"] or row["takenBackAt"] or at),
            **more,
        )


@strawberry.type(
    description="訂正等請求・利用停止等請求: what you asked of a facility, and what it answered."
)
class CorrectionRequest(Correction):
    limit_days: strawberry.Private[int]

    state: CorrectionState = strawberry.field(description="回答待ち, 回答済, 取下げ.")
    document_id: strawberry.ID | None = strawberry.field(
        description="The document it is about; null: all that the facility has."
    )
    entry_id: strawberry.ID | None = strawberry.field(description="The one entry of the document.")
    words: str | None = strawberry.field(
        description="The patient's words. The facility reads those that were taken back no more."
    )
    answer: CorrectionAnswer | None = strawberry.field(description="Null as long as there is none.")

    @strawberry.field(description="It waits for longer than it should.")
    async def overdue(self) -> bool:
        return self.state is State.WAITING and self.waited_days >= self.limit_days

    @strawberry.field(description="Where it stands, in a plain sentence (Japanese).")
    async def told(self) -> str:
        if self.answer is not None:
            return correction_words.answered(self.answer.outcome)
        if self.state is State.TAKEN_BACK:
            return correction_words.TAKEN_BACK
        return correction_words.waiting(self.waited_days, self.limit_days)

    @classmethod
    def as_asked(cls, row: Row, at: datetime, limit_days: int, **more: Any) -> Self:
        """With the patient's words, unless *more* says otherwise."""
        return cls.of(
            row,
            at,
            limit_days=limit_days,
            state=State(row["state"]),
            document_id=_id(row["document"]),
            entry_id=_id(row["entry"]),
            answer=CorrectionAnswer.of(row),
            **{"words": row["words"], **more},
        )


@strawberry.type(description="A request to your facility.")
class ReceivedCorrectionRequest(CorrectionRequest):
    reader: strawberry.Private[RecordReader]

    @strawberry.field(description="Who asks.")
    async def patient(self) -> Patient:
        return await Patient.read(self.reader)

    @classmethod
    def received(cls, row: Row, at: datetime, limit_days: int, reader: RecordReader) -> Self:
        words = None if row["state"] == State.TAKEN_BACK else row["words"]
        return cls.as_asked(row, at, limit_days, words=words, reader=reader)


@strawberry.type(description="A request that waits for too long. The patient's words stay out.")
class OverdueCorrection(Correction):
    patient_id: strawberry.ID = strawberry.field(description="Whose it is.")


@strawberry.type(description="Your requests, newest first.")
class CorrectionRequestConnection(Connection[CorrectionRequest]):
    pass


@strawberry.type(description="Requests to your facility, newest first.")
class CorrectionInbox(Connection[ReceivedCorrectionRequest]):
    pass


@strawberry.type(description="Requests that wait too long, whichever facility must answer; newest first.")
class OverdueCorrectionConnection(Connection[OverdueCorrection]):
    pass


def _id(value: Any) -> strawberry.ID | None:
    return None if value is None else strawberry.ID(str(value))
