"""Events to changed rows, owner by owner. What cannot be applied stops its owner there, and nobody else."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection, DataError, Error, IntegrityError
from psycopg.errors import ProgramLimitExceeded

from tsuzuri.domain.codes import Codes
from tsuzuri.domain.events import Erased
from tsuzuri.projections.carrying import Carrying
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.merging import merge
from tsuzuri.projections.opening import Opened, OwnerEvents, Poison, Step
from tsuzuri.projections.rows import Changes, Recorded, Row, Rows


class OwnerFold:
    """The events of one owner in one batch, and what they make of her rows."""

    def __init__(
        self,
        projection: Projection,
        owner: UUID,
        events: OwnerEvents,
        carrying: Carrying,
        codes: Codes,
        start: Callable[[], Rows],
    ) -> None:
        self._projection = projection
        self._carrying = carrying
        self._codes = codes
        self._start = start
        self.owner = owner
        self.opened = events.opened
        self.poison = events.poison
        self.rows = self._folded()

    def stop_at_last(self, step: Step, fault: str) -> None:
        """Leave the last event out, and all that come after it."""
        self.poison = Poison(self.opened.pop().logged, step, fault)
        self.rows = self._folded()

    def _folded(self) -> Rows:
        while True:
            rows = self._start()
            for number, one in enumerate(self.opened):
                try:
                    self._apply(rows, one)
                except Error:  # the server's, while payloads were fetched
                    raise
                except Exception as error:  # whatever it is, it is this owner's alone
                    self.poison = Poison(one.logged, Step.FOLD, type(error).__name__)
                    del self.opened[number:]
                    break  # the failed one may have changed rows already: once more without it
            else:
                return rows

    def _apply(self, rows: Rows, one: Opened) -> None:
        """An erased event says nothing any more, and what it led to was removed with it."""
        if isinstance(one.event, Erased):
            return
        logged = one.logged
        self._projection.apply(
            rows,
            Recorded(
                one.event,
                logged.patient_id,
                logged.part,
                logged.pos,
                logged.recorded_at,
                self._carrying.of(one),
                self._codes,
            ),
        )


def merge_folds(connection: Connection[Any], schema: str, folds: Sequence[OwnerFold]) -> None:
    """Merge all; what the database refuses is looked for by halves, down to one owner and one event of hers.

    Afterwards the folds say who had to stop, and where.
    """
    try:
        with connection.transaction():
            merge(connection, schema, _changes(folds))
        return
    except Exception as error:
        if not is_poison(error):
            raise
        fault = type(error).__name__
    if len(folds) > 1:
        middle = len(folds) // 2
        merge_folds(connection, schema, folds[:middle])
        merge_folds(connection, schema, folds[middle:])
        return
    folds[0].stop_at_last(Step.MERGE, fault)
    if folds[0].opened:
        merge_folds(connection, schema, folds)


def poisons(folds: Iterable[OwnerFold]) -> list[Poison]:
    return [one.poison for one in folds if one.poison is not None]


def _changes(folds: Iterable[OwnerFold]) -> dict[type[Row], Changes]:
    changes: dict[type[Row], Changes] = defaultdict(lambda: Changes([], [], [], []))
    for one in folds:
        one.rows.add_changes(one.owner, changes)
    return changes


def is_poison(error: Exception) -> bool:
    """Whether a merge failed for what the rows hold; anything else is no event's fault, and is tried again."""
    if isinstance(error, Error):
        return isinstance(error, DataError | IntegrityError | ProgramLimitExceeded)
    return isinstance(error, ValueError | TypeError | OverflowError)
