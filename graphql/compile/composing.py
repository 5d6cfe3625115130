"""The statement that writes the rows of pages: one for all the pages that stand beside each other.

It has an arm for each page and one for each kind of row that its rows name: facilities, documents. Those are written
once, however many name them. Each row of the answer: number of the arm, id, class, then the cursor or, of a row that is
named, its key; then the texts, and its place.

A statement's text is made once for each form of it; after that only its values are gathered.
"""

from collections.abc import Hashable, Sequence
from typing import Any

from tsuzuri.eventlog.recent import Recent
from tsuzuri.graphql.compile.declared import KEYS
from tsuzuri.graphql.compile.pieces import Linked
from tsuzuri.graphql.compile.rows import RowsPlan
from tsuzuri.graphql.listing import Listed
from tsuzuri.graphql.statements import Source
from tsuzuri.projections.sql import SQL, Composed
from tsuzuri.projections.view import View

ARM, ID, RECORD_CLASS, KEY, TEXTS = range(5)
"""The columns; the texts begin at the last."""
FORMS_KEPT = 1_000

Asked = tuple[Listed[Any], RowsPlan]


async def composed(asked: Sequence[Asked]) -> Composed:
    """Raises as the lists' `linking` does."""
    sources = [[await _linking(listed, link) for link in plan.linked] for listed, plan in asked]
    pages = [_Page(listed, plan, named) for (listed, plan), named in zip(asked, sources, strict=True)]
    form = tuple([page.form() for page in pages])
    values = tuple([value for page in pages for value in page.values()])
    text = _texts.get(form)
    if text is None:
        whole = _whole(pages)
        assert whole.values == values, "the values stand in the text in another order"
        text = whole.text
        _texts.put(form, text)
    return Composed(text, values)


_texts: Recent[Hashable, str] = Recent(FORMS_KEPT)


async def _linking(listed: Listed[Any], link: Linked) -> Source:
    assert listed.linking is not None
    return await listed.linking(link.type_name)


class _Page:
    """One page of a statement. *sources*: of the rows that its rows name, in the order of the plan."""

    __slots__ = ("listed", "plan", "sources")

    def __init__(self, listed: Listed[Any], plan: RowsPlan, sources: Sequence[Source]) -> None:
        self.listed, self.plan, self.sources = listed, plan, sources

    def form(self) -> Hashable:
        """All that the text depends on."""
        listed = self.listed
        wanted, cursor = listed.wanted, listed.cursor
        return (
            self.plan,
            listed.source.schema,
            listed.source.seen.text,
            tuple([condition.text for condition in listed.where]),
            wanted.size,
            wanted.backward,
            None if cursor is None else tuple([type(value) for value in cursor.values]),
            tuple([(source.schema, source.seen.text) for source in self.sources]),
        )

    def values(self) -> list[Any]:
        """In the order in which the text has them."""
        listed = self.listed
        values = [*listed.source.seen.values]
        for condition in listed.where:
            values += condition.values
        if listed.cursor is not None:
            values += listed.cursor.values
        for source in self.sources:
            values += source.seen.values
        return values


def _whole(pages: Sequence[_Page]) -> Composed:
    arm = 0
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
                f"SELECT {arm} AS arm, page.shown, page.class, page.cursor{texts}, page.place"
                f" FROM rows_{number} AS page"
            )
        )
        arm += 1
        for link, source in zip(plan.linked, page.sources, strict=True):
            named.append(_rows_of_link(page, number, link, source))
            audited = f"{link.alias}.document, {link.alias}.record_class"
            shown = audited if link.type_name == "Document" else "NULL, NULL"
            selected.append(
                Composed(
                    f"SELECT {arm}, {shown}, {link.alias}.{KEYS[link.type_name]}::text, {link.text}{nothing}, 0"
                    f" FROM rows_{number}_{link.alias} AS {link.alias}"
                )
            )
            arm += 1
    whole = SQL("WITH {} {} ORDER BY arm, place")
    return whole.format(SQL(", ").join(named), SQL(" UNION ALL ").join(selected))


def _rows_of_page(page: _Page, number: int) -> Composed:
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


def _rows_of_link(page: _Page, number: int, link: Linked, source: Source) -> Composed:
    """The rows that are named, each once."""
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
