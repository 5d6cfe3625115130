"""What a read leaves out because it was changed behind the position that the index stands on."""

from collections.abc import Sequence

from tsuzuri.domain.access import Permitted
from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleReplaced,
    PayloadErased,
    RecordErased,
    StreamErased,
    Unreadable,
)
from tsuzuri.domain.vocabulary import REPLACEMENT_SETS
from tsuzuri.projections.sight import LeftOut

Changed = BundleAccepted | BundleCancelled | PayloadErased | StreamErased | Unreadable
"""What may change what is seen. Of an event that cannot be decoded nobody knows what it hides."""

_ENDING = BundleReplaced | BundleCancelled | PayloadErased


def concerns(event: Changed, decision: Permitted) -> bool:
    """Whether it may change something of the classes that the decision lets through."""
    if isinstance(event, Unreadable):
        return True
    if isinstance(event, StreamErased):
        return isinstance(event, RecordErased)
    return not event.touches or bool(set(event.touches) & set(decision.classes))


def left_out(behind: Sequence[Changed]) -> LeftOut:
    return LeftOut(
        documents=tuple({e.document for e in behind if isinstance(e, _ENDING)}),
        hidden=tuple(
            (event.facility, fact)
            for event in behind
            if isinstance(event, BundleAccepted)
            for fact in event.hides
        ),
        sets=tuple(
            (event.facility, REPLACEMENT_SETS[event.kind])
            for event in behind
            if isinstance(event, BundleAccepted) and event.kind in REPLACEMENT_SETS
        ),
        everything=any(isinstance(event, StreamErased | Unreadable) for event in behind),
    )
