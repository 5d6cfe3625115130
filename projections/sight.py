"""What a decision lets through of one patient's record, and on which position the answer stands."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from tsuzuri.domain.access import beyond_referrals
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.retention import LAST
from tsuzuri.domain.vocabulary import Flag, RecordClass
from tsuzuri.eventlog.recent import Recent
from tsuzuri.projections.emergency_table import CHECKUP_DATES, entries_of_table
from tsuzuri.projections.fences import SEES, sees_whole, what_sees
from tsuzuri.projections.one_person import not_ended_by_each_other, not_hidden_by_each_other
from tsuzuri.projections.sql import SQL, Composed, Identifier, Later, Literal, Number


@dataclass(frozen=True)
class LeftOut:
    """What was changed behind the position the index stands on, so that its old rows must not show."""

    documents: tuple[UUID, ...] = ()  # replaced, cancelled or erased
    hidden: tuple[tuple[str, str], ...] = ()  # sender and fact of what was marked
    sets: tuple[
        tuple[str, tuple[RecordClass, ...]], ...
    ] = ()  # senders and classes of which all was told anew
    everything: bool = False  # the record was erased: what the index has of her is from before


@dataclass(frozen=True, kw_only=True)
class Sight:
    """The rows one reading may show: the decision's grounds, at one position of the patient's part."""

    patient: UUID
    grounds: tuple[Ground, ...]
    generation: int  # of the record index; one reading reads one generation, whatever is promoted meanwhile
    position: int  # in the patient's part; no row from behind it is shown
    others: tuple[tuple[UUID, int], ...] = ()  # who else is the same person, and the position in her part
    recorded_by: datetime | None = None  # asOf a moment: what the log had taken in by then
    decided_at: datetime  # rows that were to be seen until then are gone
    left_out: LeftOut = LeftOut()

    @property
    def index(self) -> str:
        """The schema in which the rows lie."""
        return f"record_index_g{self.generation}"

    @property
    def patients(self) -> list[UUID]:
        """All who are this person."""
        return [self.patient, *(one for one, _ in self.others)]

    def predicate(
        self, *, history: bool, facts: bool = False, schema: str | None = None, dates: bool = False
    ) -> Composed:
        """The condition that every statement over a guarded table carries.

        history: its rows are closed, not deleted. facts: it holds entries, which know their sender and fact.
        schema: where the table lies, when it holds entries of which the last are seen however old they are.
        dates: nothing but the dates of documents is shown.

        It is made once for all sights of the same grounds, when nothing else tells them apart but three values.
        """
        if self.others or self.recorded_by is not None or self.left_out != LeftOut():
            return SQL(" AND ").join([self.fence(), self._shown(history, facts, schema, dates)])
        return self._usual.predicate(history, facts, schema, dates).bound(self._values)

    @cached_property
    def _usual(self) -> "_Usual":
        return _usual(self.grounds)

    @cached_property
    def _values(self) -> Mapping[Later, Any]:
        return {
            _PATIENT: self.patient,
            _POSITION: self.position,
            _DECIDED_AT: self.decided_at,
            **what_sees(self.patients, self.grounds, self.decided_at),
        }

    def _shown(self, history: bool, facts: bool, schema: str | None, dates: bool) -> Composed:
        """The predicate without the fence."""
        table: Composed | None = CHECKUP_DATES if dates else None
        if history and facts and schema is not None:
            table = self._emergency_table(schema)
        conditions = [self.rows(history=history, facts=facts, emergency_table=table)]
        if self.left_out.everything:
            conditions.append(SQL("false"))
        if self.left_out.documents:
            conditions.append(SQL("document <> ALL ({})").format(Literal(list(self.left_out.documents))))
        if facts:
            conditions += [
                SQL("NOT (sender = {} AND fact = {})").format(Literal(sender), Literal(fact))
                for sender, fact in self.left_out.hidden
            ]
            conditions += [
                SQL("NOT (sender = {} AND record_class = ANY ({}::text[]))").format(
                    Literal(sender), Literal([str(one) for one in classes])
                )
                for sender, classes in self.left_out.sets
            ]
        if history:
            conditions += self._moment(schema)
        if self.others and schema is not None:
            conditions += self._between_patients(schema)
        return SQL(" AND ").join(conditions)

    def whole(self) -> Composed:
        """All rows of the patient that were recorded then, seen or not: to decide by, never to show."""
        return SQL("{} AND patient_id {} AND {}").format(
            sees_whole(self.patients), self._hers(), self._recorded()
        )

    def person(self) -> Composed:
        """Of a table that tells who somebody is: the one row of the patient herself."""
        return SQL("{} AND patient_id = {}").format(self.fence(), Literal(self.patient))

    def marked_since(self, then: "Sight", schema: str) -> Composed:
        """Of an entry: its sender marked the same fact behind where *then* stands, by an entry that may be seen.

        Its row stays the one it was; only its marks are others.
        """
        return SQL(
            "(flags_now <> flags AND EXISTS (SELECT FROM {} AS newer WHERE newer.sender = entry.sender"
            " AND newer.fact = entry.fact AND newer.flags <> '{{}}' AND {} AND from_pos > {} AND from_pos <= {}))"
        ).format(
            Identifier(schema, "entry"),
            self.rows(history=True, facts=True, emergency_table=SQL("true")),
            then._position(),
            self._position(),
        )

    def rows(
        self, *, history: bool, facts: bool = False, emergency_table: Composed | None = None
    ) -> Composed:
        """Whose rows, and which of them by the grounds, whatever their time. The fence asks the same.

        *emergency_table*: what of them the first step of an emergency shows; None: nothing.
        """
        flags = SQL("flags_now") if history else SQL("flags")
        grounds = self._grounds(flags, emergency_table, history=history, facts=facts)
        return SQL("patient_id {} AND {}").format(self._hers(), grounds)

    def fence(self) -> Composed:
        """Tells the database of patients and grounds: to the reader it shows nothing beyond them (see fences.py)."""
        return SEES.bound(self._values)

    @cached_property
    def _covered(self) -> dict[tuple[Any, ...], Composed]:
        """What `_grounds` has said: it is asked again for each list of the same kind."""
        return {}

    def _grounds(
        self, flags: Composed, emergency_table: Composed | None, *, history: bool, facts: bool
    ) -> Composed:
        """A row is shown when one ground covers its class and every one of its marks.

        A table that does not say which referral its rows are of shows nothing of any; one of which the emergency table
        shows nothing, nothing under that. The classes stand in a CASE: else a page would be read class by class and put
        in order then, and not as far as it goes in the order of its index.
        """
        asked = (flags, emergency_table, history, facts)
        if asked not in self._covered:
            self._covered[asked] = self._conditions(flags, emergency_table, history=history, facts=facts)
        return self._covered[asked]

    def _conditions(
        self, flags: Composed, emergency_table: Composed | None, *, history: bool, facts: bool
    ) -> Composed:
        covered = [
            SQL("CASE WHEN record_class = ANY ({}::text[]) THEN {} <@ {}::text[]{} ELSE false END").format(
                Literal(tuple([str(record_class) for record_class in ground.classes])),
                flags,
                Literal(tuple([str(flag) for flag in ground.flags])),
                SQL(" AND {}").format(emergency_table)
                if ground.emergency_table and emergency_table is not None
                else self._only(ground, history=history, facts=facts),
            )
            for ground in (self.grounds if history else beyond_referrals(self.grounds))
            if emergency_table is not None or not ground.emergency_table
        ]
        return SQL("({})").format(SQL(" OR ").join(covered)) if covered else SQL("false")

    def _only(self, ground: Ground, *, history: bool, facts: bool) -> Composed:
        """Of a ground for what one facility registered: only that. Of one for referrals: only theirs, while seen."""
        if ground.sender is not None:
            column = SQL("facility") if history and not facts else SQL("sender")
            return SQL(" AND {} = {}").format(column, Literal(ground.sender))
        if ground.recipient is None:
            return SQL("")
        conditions = [SQL(" AND recipient = {}").format(Literal(ground.recipient))]
        if facts:
            conditions.append(SQL(" AND recipient_until > {}").format(Literal(self.decided_at)))
        if ground.document is not None:
            conditions.append(SQL(" AND document = {}").format(Literal(ground.document)))
        return SQL("").join(conditions)

    def _emergency_table(self, schema: str) -> Composed | None:
        """What the first step of an emergency shows of the entries, when a ground is one."""
        tables = [ground for ground in self.grounds if ground.emergency_table]
        if not tables:
            return None
        return entries_of_table(schema, self._hers(), tables[0].flags, self.decided_at)

    def _moment(self, schema: str | None) -> list[Composed]:
        """What was recorded then and may be seen now."""
        return [
            self._recorded(),
            SQL("cancelled_by IS NULL"),
            SQL("(visible_until IS NULL OR visible_until > {}{})").format(
                Literal(self.decided_at), SQL("") if schema is None else self._among_the_last(schema)
            ),
        ]

    def _recorded(self) -> Composed:
        position = self._position()
        if self.recorded_by is None:
            return SQL("from_pos <= {0} AND (to_pos IS NULL OR to_pos > {0})").format(position)
        return SQL(
            "from_pos <= {0} AND registered_at <= {1} AND (closed_at IS NULL OR closed_at > {1})"
        ).format(position, Literal(self.recorded_by))

    def _hers(self) -> Composed:
        """Equal to one, where it can be: then a page is read in the order of its index."""
        if not self.others:
            return SQL("= {}").format(Literal(self.patient))
        return SQL("= ANY ({})").format(Literal(self.patients))

    def _between_patients(self, schema: str) -> list[Composed]:
        """An answer as of then tells of each what was recorded of her; what is hidden is hidden at every moment."""
        shown = set(Flag).intersection(*(ground.flags for ground in self.grounds))
        conditions = [not_hidden_by_each_other(self.patients, shown, schema)]
        if self.recorded_by is None:
            conditions.append(not_ended_by_each_other(self.patients, schema))
        return conditions

    def _position(self) -> Composed:
        """In the part of whose row it is."""
        if not self.others:
            return Literal(self.position)
        arms = [
            SQL("WHEN {} THEN {}::bigint").format(Literal(one), Literal(at))
            for one, at in ((self.patient, self.position), *self.others)
        ]
        return SQL("CASE patient_id {} END").format(SQL(" ").join(arms))

    def _among_the_last(self, schema: str) -> Composed:
        """Fewer than `LAST` newer ones of its group that may be seen are in force. Asked of what is too old.

        What is hidden displaces nothing: else its coming would show. In the inner question the columns are the newer's.
        """
        seen = self._grounds(SQL("flags_now"), SQL("true"), history=True, facts=True)
        return SQL(
            " OR (ranked_as IS NOT NULL AND to_pos IS NULL AND {} > (SELECT count(*) FROM (SELECT FROM {} AS newer"
            " WHERE newer.patient_id {} AND newer.record_class = entry.record_class"
            " AND newer.ranked_as = entry.ranked_as AND newer.to_pos IS NULL AND {}"
            " AND (newer.sort_at, newer.entry) > (entry.sort_at, entry.entry) LIMIT {}) AS counted))"
        ).format(Number(LAST), Identifier(schema, "entry"), self._hers(), seen, Number(LAST))


_PATIENT: Any = Later(UUID)
_POSITION: Any = Later(int)
_DECIDED_AT: Any = Later(datetime)


class _Usual:
    """What some grounds let through of anybody, at whatever position and moment."""

    def __init__(self, grounds: tuple[Ground, ...]) -> None:
        self._sight = Sight(
            patient=_PATIENT, grounds=grounds, generation=0, position=_POSITION, decided_at=_DECIDED_AT
        )
        self._known: dict[tuple[bool, bool, str | None, bool], Composed] = {}

    def predicate(self, history: bool, facts: bool, schema: str | None, dates: bool) -> Composed:
        """With values left open."""
        asked = history, facts, schema, dates
        known = self._known.get(asked)
        if known is None:
            known = SQL(" AND ").join([SEES, self._sight._shown(*asked)])
            self._known[asked] = known
        return known


_KEPT_MAX = 1_000
_kept: Recent[Hashable, _Usual] = Recent(_KEPT_MAX)


def _usual(grounds: tuple[Ground, ...]) -> _Usual:
    """By all of the grounds that a predicate asks: not by what justifies them, which is each patient's own."""
    asked = tuple(
        [
            (one.classes, one.flags, one.recipient, one.document, one.sender, one.emergency_table)
            for one in grounds
        ]
    )
    if (kept := _kept.get(asked)) is None:
        kept = _Usual(grounds)
        _kept.put(asked, kept)
    return kept
