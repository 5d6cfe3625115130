"""Has the database write the rows of pages, notes what they show, and fills in what it leaves open."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from psycopg.pq.abc import PGresult

from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.graphql.compile.composing import ARM, ID, KEY, RECORD_CLASS, TEXTS, composed
from tsuzuri.graphql.compile.pieces import HOLE, OF, Filled, Linked
from tsuzuri.graphql.compile.rows import RowsPlan
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.listing import Listed
from tsuzuri.graphql.readings import Shown

_HOLE, _OF = HOLE.encode(), OF.encode()
_CLASSES = {str(one).encode(): one for one in RecordClass}


@dataclass(eq=False)
class Page:
    """One page of the statement, and what the answer has of it."""

    listed: Listed[Any]
    plan: RowsPlan
    rows: Sequence[int] = ()  # of the answer
    named: dict[Linked, Sequence[int]] = field(default_factory=dict)


async def write(context: Context, asked: Sequence[tuple[Listed[Any], RowsPlan]]) -> None:
    """Fills in `written`, `info` and `total` of each list, and notes what is shown. Raises as a fetch does."""
    pages = [Page(listed, plan) for listed, plan in asked if plan.texts or plan.informed]
    if pages:
        statement = await composed([(page.listed, page.plan) for page in pages])
        arms = [(page, linked) for page in pages for linked in (None, *page.plan.linked)]
        async with context.turn:
            context.charge(1)
            answer = await context.application.write(statement)
        _deal(answer, arms)
        for page in pages:
            _take(page, answer)
    for listed, plan in asked:
        listed.written = listed.written or {}
        if plan.counted:
            await listed.count()


def _deal(answer: PGresult, arms: Sequence[tuple[Page, Linked | None]]) -> None:
    """Gives each page its rows: they come arm by arm."""
    of_rows = [answer.get_value(row, ARM) or b"" for row in range(answer.ntuples)]
    begin = 0
    for number, (page, linked) in enumerate(arms):
        end = bisect_right(of_rows, number.to_bytes(4, "big"), begin)
        if linked is None:
            page.rows = range(begin, end)
        else:
            page.named[linked] = range(begin, end)
        begin = end


def _take(page: Page, answer: PGresult) -> None:
    listed, plan = page.listed, page.plan
    more = len(page.rows) > listed.wanted.size
    rows = page.rows[: listed.wanted.size]
    if listed.wanted.backward:
        rows = rows[::-1]
    if listed.noted is not None:
        value, classes = answer.get_value, _CLASSES.get
        listed.noted([(value(row, ID) or b"", classes(value(row, RECORD_CLASS) or b"")) for row in rows])
    documents = [link for link in plan.linked if link.type_name == "Document"]
    if listed.named is not None and rows and documents:
        listed.named([_shown(answer, row) for link in documents for row in page.named.get(link, ())])
    filling = _Filling(page, answer)
    listed.written = {key: filling.list(rows, TEXTS + place) for place, key in enumerate(plan.texts)}
    if plan.informed:
        ends = (
            [filling.seal(answer.get_value(row, KEY) or b"") for row in (rows[0], rows[-1])]
            if rows
            else [None] * 2
        )
        listed.info = listed.page_info(more, *ends)


class _Filling(dict[bytes, bytes]):
    """What stands in each hole, by what the database has written there: each is made once, however often it stands."""

    def __init__(self, page: Page, answer: PGresult) -> None:
        super().__init__()
        self._page, self._answer = page, answer
        self._use = page.listed.use.encode()
        for link in reversed(page.plan.linked):  # what rows name in turn comes behind them
            self._put(link, b"%d" % page.plan.worked.index(link))

    def list(self, rows: Sequence[int], column: int) -> orjson.Fragment:
        """The texts of rows as a JSON list."""
        value = self._answer.get_value
        written = b",".join([value(row, column) or b"" for row in rows])
        return orjson.Fragment(b"[" + self._filled(written) + b"]")

    def seal(self, cursor: bytes) -> str:
        return self._page.listed.seals.seal_text(self._use, cursor)

    def __missing__(self, hole: bytes) -> bytes:
        number, _, given = hole.partition(_OF)
        filled = self[hole] = self._made(self._page.plan.worked[int(number)], given)
        return filled

    def _put(self, link: Linked, number: bytes) -> None:
        value = self._answer.get_value
        for row in self._page.named.get(link, ()):
            self[number + _OF + (value(row, KEY) or b"")] = self._filled(value(row, TEXTS) or b"")

    def _filled(self, text: bytes) -> bytes:
        if _HOLE not in text:
            return text
        pieces = text.split(_HOLE)
        pieces[1::2] = [self[hole] for hole in pieces[1::2]]
        return b"".join(pieces)

    def _made(self, filled: Filled, given: bytes) -> bytes:
        if filled is None:
            return b'"%b"' % self.seal(given).encode()
        if isinstance(filled, Linked):  # there is no such row, or, without a key, nothing is named
            return filled.absent.encode().replace(_OF, orjson.dumps(given.decode())) if given else b"null"
        return orjson.dumps(filled(*orjson.loads(given)))


def _shown(answer: PGresult, row: int) -> Shown:
    return answer.get_value(row, ID) or b"", _CLASSES.get(answer.get_value(row, RECORD_CLASS) or b"")
