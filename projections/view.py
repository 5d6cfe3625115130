"""What GraphQL may show of a projection: a declared map, so that nothing is shown by accident."""

from collections.abc import Mapping
from dataclasses import dataclass


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
