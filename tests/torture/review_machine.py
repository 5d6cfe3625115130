"""Reviews of emergencies, beside a list: opened by declaring, counted by the reads, closed once with a finding."""

from dataclasses import dataclass, replace
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from code_examples import BUILT_IN
from event_examples import EXAMPLES
from torture.emergency_machine import PATIENT, PEOPLE, PERSON, PLACE, EmergencyLives
from tsuzuri.domain import reviews
from tsuzuri.domain.access import Permitted
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import AccessPermitted, EmergencyDeclared, EmergencyWidened, Event, originator
from tsuzuri.domain.policies import Policies
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.reviews import OwnReview, WordsMissing
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, ReviewFinding, Role, Stream
from tsuzuri.projections.access_reviews import ReviewRow, apply, looks
from tsuzuri.projections.rows import Recorded, Rows

ACCESS = next(event for event in EXAMPLES if isinstance(event, AccessPermitted))


@dataclass
class Waiting:
    """A review as the list has it."""

    because: UUID
    person: str
    reads: int = 0
    widened: bool = False
    closed: bool = False


class ReviewLives(EmergencyLives):
    """Every emergency is in the queue from its declaration on, and every read under it."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.waiting: dict[UUID, list[Waiting]] = {}
        self.rows: dict[UUID, Rows] = {}
        self.closings: set[UUID] = set()

    def happened(self, event: Event, patient: UUID) -> None:
        self.take(event, patient)
        waiting = self.waiting.setdefault(patient, [])
        match event:
            case EmergencyDeclared():
                waiting.append(Waiting(event.event_id, event.person))
            case EmergencyWidened():
                for one in waiting:
                    one.widened |= one.because == event.emergency and not one.closed

    def take(self, event: Event, patient: UUID) -> None:
        """The projection folds it on the rows that it said it looks at, and no others."""
        held = self.rows.get(patient, Rows()).of(ReviewRow)
        before = Rows(held, looks(event))
        apply(before, Recorded(event, patient, 0, 1, self.now, {}, BUILT_IN))
        changed = before._changed.get(ReviewRow, {})
        kept = {row.review: row for row in held} | {
            row.review: row for row in changed.values() if isinstance(row, ReviewRow)
        }
        self.rows[patient] = Rows(kept.values())

    @rule(person=PERSON, place=PLACE, patient=PATIENT)
    def somebody_reads(self, person: str, place: str, patient: UUID) -> None:
        request = AccessRequest(
            person=person,
            role=Role.CLINICIAN,
            facility=place,
            own_patient=None,
            patient=patient,
            purpose=PurposeOfUse.BTG,
            readable=frozenset(RecordClass),
            at=self.now,
        )
        answer = type(self).asked(request, self.said[patient], Policies(self.entries[place]))
        if not isinstance(answer, Permitted):
            return
        told = replace(ACCESS.told, person=person, facility=place, bases=answer.bases)
        audit = replace(ACCESS.audit, grounds=answer.grounds)
        name = originator(patient, Stream.ACCESS)
        event = replace(
            ACCESS, originator_id=name, event_id=next(self.ids), patient=patient, told=told, audit=audit
        )
        self.take(event, patient)
        waiting = self.waiting[patient]
        for ground in answer.grounds:
            assert ground.because is not None
            open_ones = [one for one in waiting if one.because == ground.because and not one.closed]
            if not open_ones:
                waiting.append(Waiting(ground.because, person))
            (open_ones or waiting[-1:])[0].reads += 1

    @precondition(lambda self: any(self.waiting.values()))
    @rule(
        data=st.data(),
        by=st.sampled_from(("admin-aoki", *PEOPLE)),
        words=st.sampled_from(("", "診療録を確認")),
    )
    def somebody_closes_one(self, data: st.DataObject, by: str, words: str) -> None:
        patient = data.draw(st.sampled_from([one for one, held in self.waiting.items() if held]))
        row = data.draw(st.sampled_from(self.rows[patient].of(ReviewRow)))
        caller = Caller(person=by, role=Role.AUDITOR)
        try:
            event = reviews.close_review(
                row.review,
                owner=patient,
                person=row.person,
                finding=ReviewFinding.JUSTIFIED,
                words=words,
                caller=caller,
            )
        except (OwnReview, WordsMissing):
            assert by == row.person or not words
            return
        assert by != row.person and words
        if event.event_id in self.closings:  # one id: the log takes it once
            return
        self.closings.add(event.event_id)
        self.take(event, patient)
        (one,) = [
            one
            for one in self.waiting[patient]
            if one.because == row.because and not one.closed and one.person == row.person
        ]
        one.closed = True

    @invariant()
    def the_queue_is_the_list(self) -> None:
        for patient, waiting in getattr(self, "waiting", {}).items():
            rows = self.rows[patient].of(ReviewRow)
            told = [
                (
                    row.because,
                    row.person,
                    len(row.accesses),
                    row.widened_at is not None,
                    row.closed_at is not None,
                )
                for row in rows
            ]
            expected = [(one.because, one.person, one.reads, one.widened, one.closed) for one in waiting]
            assert sorted(told, key=str) == sorted(expected, key=str)
