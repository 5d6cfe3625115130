"""One event of each class by which a patient asks a facility for something, and it answers."""

from event_values import an_id
from examples import CLINIC, PATIENT
from tsuzuri.domain.events import (
    CorrectionAnswered,
    CorrectionRequested,
    CorrectionRequestTakenBack,
    Event,
    originator,
)
from tsuzuri.domain.vocabulary import CorrectionKind, CorrectionOutcome, Stream

CORRECTION_EXAMPLES: tuple[Event, ...] = (
    CorrectionRequested(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=3,
        event_id=an_id(46),
        patient=PATIENT,
        facility=CLINIC,
        kind=CorrectionKind.CORRECTION,
        document=an_id(2),
        entry=an_id(47),
        words="この病名は別の人のものです",
        recorded_by="patient",
    ),
    CorrectionAnswered(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=4,
        event_id=an_id(48),
        patient=PATIENT,
        request=an_id(46),
        facility=CLINIC,
        outcome=CorrectionOutcome.PARTLY,
        words="日付のみ訂正します",
        answered_by="admin-arai",
    ),
    CorrectionRequestTakenBack(
        originator_id=originator(PATIENT, Stream.RECORD),
        originator_version=4,
        event_id=an_id(49),
        patient=PATIENT,
        request=an_id(46),
        recorded_by="patient",
    ),
)
