"""One event of each class that an operator's acts leave in the log."""

from event_values import an_id
from examples import PATIENT
from tsuzuri.domain.events import Event, LogRestored, OperatorActed, originator
from tsuzuri.domain.vocabulary import OperatorAct, Stream

OPERATOR_EXAMPLES: tuple[Event, ...] = (
    OperatorActed(
        originator_id=originator(an_id(21), Stream.RECORD),
        originator_version=1,
        event_id=an_id(22),
        projection="record_index",
        act=OperatorAct.SKIP,
        generation=2,
        patient=PATIENT,
        skipped=an_id(3),
        reason="壊れた文書",
        ticket="OPS-17",
        recorded_by="operator-ono",
    ),
    LogRestored(
        originator_id=originator(an_id(21), Stream.RECORD),
        originator_version=2,
        event_id=an_id(23),
        origin="log.example/test",
        checkpoint=1204,
        root="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        lost={"3": 14},
        keys_destroyed=2,
        goes_on_as="log.example/test-2",
        reason="記憶装置の故障",
        recorded_by="operator-ono",
    ),
)
