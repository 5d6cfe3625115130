"""Has the database write the rows of pages: one statement for all the pages that stand beside each other.

A statement has an arm for each page and one for each kind of row that its rows name: facilities, documents. Those are
written once, however many name them. Each row of the answer: number of the arm, id, class, then the cursor or, of a row
that is named, its key; then the texts, and its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from psycopg.pq.abc import PGresult

from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.graphql.compile.declared import KEYS
from tsuzuri.graphql.compile.pieces import HOLE, OF, Filled, Linked
from tsuzuri.graphql.compile.rows import RowsPlan
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.listing import Listed
from tsuzuri.graphql.readings import Shown
from tsuzuri.projections.sql import SQL, Composed
from tsuzuri.projections.view import View

_HOLE, _OF = HOLE.encode(), OF.encode()
_CLASSES = {str(one).encode(): one for one in RecordClass}
_TEXTS = 4  # the column of the first text


@dataclass(eq=False)
class Page:
    """One page of the statement, and what the answer has of it."""

    listed: Listed[Any]
    plan: RowsPlan
    rows: list[int] = field(default_factory=list)  # of the answer
    named: dict[Linked, list[int]] = field(default_factory=dict)


Arm = tuple[Page, Linked | None]
"""What the rows of an arm are: those of a page, or what they name."""


async def write(context: Context, asked: Sequence[tuple[Listed[Any], RowsPlan]]) -> None:
    """Fills in `written`, `info` and `total` of each list, and notes what is shown. Raises as a fetch does."""
    pages = [Page(listed, plan) for listed, plan in asked if plan.texts or plan.informed]
    if pages:
        arms: list[Arm] = []
        statement = await _statement(pages, arms)
        async with context.turn:
            context.charge(1)
            answer = await context.application.write(statement)
        for row in range(answer.ntuples):
            page, linked = arms[int.from_bytes(answer.get_value(row, 0) or b"")]
            (page.rows if linked is None else page.named.setdefault(linked, [])).append(row)
        for page in pages:
            _take(page, answer)
    for listed, plan in asked:
        listed.written = listed.written or {}
        if plan.counted:
            await listed.count()


async def _statement(pages: Sequence[Page], arms: list[Arm]) -> Composed:
    """*arms*: gets what the rows of each arm are."""
    named: list[Composed] = []
    selected: list[Composed] = []
    most = max(len(page.plan.texts) for page in pages)
    nothing = ", NULL" * max(0, most - 1)
    for number, page in enumerate(pages):
        plan = page.plan
        named.append(_rows_of_page(page, number))
        texts = "".join(f", {text}" for text in plan.texts.values()) + ", NULL" * (most - len(plan.texts))
        selected.append(
            Composed(
                f"SELECT {len(arms)} AS arm, page.shown, page.class, page.cursor{texts}, page.place"
                f" FROM rows_{number} AS page"
            )
        )
        arms.append((page, None))
        for link in plan.linked:
            named.append(await _rows_of_link(page, number, link))
            audited = f"{link.alias}.document, {link.alias}.record_class"
            shown = audited if link.type_name == "Document" else "NULL, NULL"
            selected.append(
                Composed(
                    f"SELECT {len(arms)}, {shown}, {link.alias}.{KEYS[link.type_name]}::text, {link.text}{nothing}, 0"
                    f" FROM rows_{number}_{link.alias} AS {link.alias}"
                )
            )
            arms.append((page, link))
    whole = SQL("WITH {} {} ORDER BY arm, place")
    return whole.format(SQL(", ").join(named), SQL(" UNION ALL ").join(selected))


def _rows_of_page(page: Page, number: int) -> Composed:
    """The rows themselves, with what their texts are made of: one more than was asked for, as everywhere."""
    listed, plan = page.listed, page.plan
    view, wanted = listed.source.view, listed.wanted
    columns = [f'"{column}"' for column in sorted(plan.columns["page"])]
    id_column = view.fields.get("id")
    columns.append("NULL::uuid AS shown" if id_column is None else f'"{id_column}" AS shown')
    columns.append(f"{'record_class' if 'recordClass' in view.fields else 'NULL'} AS class")
    columns.append(f"{_cursor(view) if plan.informed or None in plan.worked else 'NULL'} AS cursor")
    rows = listed.source.rows(
        Composed(", ".join(columns)),
        listed.where,
        wanted.size,
        listed.cursor,
        backward=wanted.backward,
        place="place",
    )
    return SQL(f"rows_{number} AS MATERIALIZED ({{}})").format(rows)


async def _rows_of_link(page: Page, number: int, link: Linked) -> Composed:
    """The rows that are named, each once."""
    assert page.listed.linking is not None
    source = await page.listed.linking(link.type_name)
    columns = {*page.plan.columns[link.alias], *(["record_class"] if link.type_name == "Document" else [])}
    of_page = link.of == "page"
    of = f"rows_{number}" if of_page else f"rows_{number}_{link.of}"
    shown = f" WHERE place <= {page.listed.wanted.size}" if of_page else ""
    return SQL(
        f"rows_{number}_{link.alias} AS MATERIALIZED (SELECT {', '.join(sorted(columns))} FROM {{}} WHERE {{}}"
        f' AND {KEYS[link.type_name]} = ANY (ARRAY(SELECT DISTINCT "{link.column}" FROM {of}{shown})))'
    ).format(source.table(), source.seen)


def _cursor(view: View) -> str:
    """The same JSON as a cursor's values have elsewhere, without blanks."""
    values = " || ',' || ".join(f'to_json("{column}")::text' for column in view.order)
    return f"'[' || {values} || ']'"


def _take(page: Page, answer: PGresult) -> None:
    listed, plan = page.listed, page.plan
    more = len(page.rows) > listed.wanted.size
    rows = page.rows[: listed.wanted.size]
    if listed.wanted.backward:
        rows.reverse()
    if listed.noted is not None:
        value, classes = answer.get_value, _CLASSES.get
        listed.noted([(value(row, 1) or b"", classes(value(row, 2) or b"")) for row in rows])
    documents = [link for link in plan.linked if link.type_name == "Document"]
    if listed.named is not None and rows and documents:
        listed.named([_shown(answer, row) for link in documents for row in page.named.get(link, ())])
    filling = _Filling(page, answer)
    listed.written = {key: filling.list(rows, _TEXTS + place) for place, key in enumerate(plan.texts)}
    if plan.informed:
        ends = (
            [filling.seal(answer.get_value(row, 3) or b"") for row in (rows[0], rows[-1])]
            if rows
            else [None] * 2
        )
        listed.info = listed.page_info(more, *ends)


class _Filling:
    """Puts in what the database has left open."""

    def __init__(self, page: Page, answer: PGresult) -> None:
        self._page, self._answer = page, answer
        self._use = page.listed.use.encode()
        self._fill = {b"%d" % number: self._filling(one) for number, one in enumerate(page.plan.worked)}

    def list(self, rows: Sequence[int], column: int) -> orjson.Fragment:
        """The texts of rows as a JSON list."""
        value = self._answer.get_value
        written = b",".join([value(row, column) or b"" for row in rows])
        return orjson.Fragment(b"[" + self._filled(written) + b"]")

    def seal(self, cursor: bytes) -> str:
        return self._page.listed.seals.seal_text(self._use, cursor)

    def _filled(self, text: bytes) -> bytes:
        pieces = text.split(_HOLE)
        for place in range(1, len(pieces), 2):
            number, _, given = pieces[place].partition(_OF)
            pieces[place] = self._fill[number](given)
        return b"".join(pieces)

    def _filling(self, filled: Filled) -> Callable[[bytes], bytes]:
        if filled is None:
            return lambda cursor: b'"%b"' % self.seal(cursor).encode()
        if isinstance(filled, Linked):
            return self._named(filled)
        return lambda given: orjson.dumps(filled(*orjson.loads(given)))

    def _named(self, link: Linked) -> Callable[[bytes], bytes]:
        """By key. No key: null."""
        value, rows = self._answer.get_value, self._page.named.get(link, ())
        absent = link.absent.encode()
        texts: dict[bytes, bytes] = {b"": b"null"}

        def text(key: bytes) -> bytes:
            if len(texts) == 1:  # what they name in turn is known by now
                texts.update({value(row, 3) or b"": self._filled(value(row, _TEXTS) or b"") for row in rows})
            found = texts.get(key)
            return absent.replace(_OF, orjson.dumps(key.decode())) if found is None else found

        return text


def _shown(answer: PGresult, row: int) -> Shown:
    return answer.get_value(row, 1) or b"", _CLASSES.get(answer.get_value(row, 2) or b"")
