"""What GraphQL may show of a projection: a declared map, so that nothing is shown by accident."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tsuzuri.projections.sql import SQL, Composed, Identifier


@dataclass(frozen=True)
class View:
    """One table as readers see it.

    fields  GraphQL's name → column
    order   the columns of the page order, newest first; together they name one row
    guarded rows carry record_class and flags and are shown only under a decision
    history rows are closed, not deleted: now and `asOf` choose among them
    facts   rows are entries, which know their sender and fact
    dates   nothing but the dates of its rows is shown
    """

    table: str
    fields: Mapping[str, str]
    order: tuple[str, ...]
    guarded: bool = False
    history: bool = False
    facts: bool = False
    dates: bool = False

    @cached_property
    def selected(self) -> Composed:
        """Its fields as columns of a statement."""
        return SQL(", ").join(
            SQL("{} AS {}").format(Identifier(column), Identifier(field))
            for field, column in self.fields.items()
        )

    @cached_property
    def place(self) -> Composed:
        """The columns that say where a row stands in the order, to be compared with a cursor's values."""
        return SQL(", ").join(Identifier(column) for column in self.order)

    @cached_property
    def newest_first(self) -> Composed:
        return SQL(", ").join(SQL("{} DESC").format(Identifier(column)) for column in self.order)
