"""The notation of the written tables, and its reading into rules.

A line begins with a resource type, or with a profile and its type, and a colon. "JP_Bundle_eReferral-0.9" is the
profile of that name as an old guide has it. Words follow, one demand each:

    subject          it must be there          identifier:rpNumber    one of this slice must be there
    subject*         … and be an object        status=final|amended   … and be one of these
    medication[x]    … in any of its types     status?=final|amended  when there, one of these
    category!1       exactly one of it         address?!1             at most one
    careTeam?!0      none of it                code.text@1.10         only from this version of the guide on

"a.b" is asked of every a there is, and of none when there is no a.
"""

import re
from collections.abc import Iterator, Mapping

from tsuzuri.domain.rules.demands import Demand, Row, Shape, rules_of
from tsuzuri.domain.rules.rule import Guide, Words

_WORD = re.compile(
    r"(?P<path>[^*?!=@]+)(?P<object>\*)?(?P<optional>\?)?(?:!(?P<high>\d))?(?:=(?P<values>[^@]+))?"
    r"(?:@(?P<since>\S+))?"
)
_SINCE = {"1.10": (Guide.CLINS_1_10,)}
_HEAD = re.compile(r"^(?P<name>[\w.-]+)(?: (?P<type>[A-Z]\w+))?:", re.MULTILINE)


def read_table(
    table: str,
    guides: tuple[Guide, ...],
    glossary: Mapping[str, Words] | None = None,
    *,
    primitives: bool = False,
) -> Iterator[Row]:
    """The rules a table writes. *primitives*: what is not marked as an object is none."""
    heads = list(_HEAD.finditer(table))
    ends = [head.start() for head in heads[1:]] + [len(table)]
    for head, end in zip(heads, ends, strict=True):
        name, resource_type = head["name"], head["type"] or head["name"]
        words = table[head.end() : end].split()
        demands = [_demand(word, resource_type, glossary or {}, primitives) for word in words]
        yield from rules_of(name, resource_type, demands, guides)


def _demand(word: str, resource_type: str, glossary: Mapping[str, Words], primitives: bool) -> Demand:
    match = _WORD.fullmatch(word)
    assert match is not None, f"the table cannot be read at {word}"
    path, high = match["path"], match["high"]
    shape = Shape.PRIMITIVE if primitives and not path.endswith("[x]") else None
    return Demand(
        path=path,
        low=0 if match["optional"] else 1,
        high=None if high is None else int(high),
        values=tuple(match["values"].split("|")) if match["values"] else (),
        shape=Shape.OBJECT if match["object"] else shape,
        what=glossary.get(f"{resource_type}.{path}") or glossary.get(path) or Words("", ""),
        guides=_SINCE[match["since"]] if match["since"] else (),
    )
