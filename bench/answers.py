"""Whether two servers answered the same: their answers brought to one form.

They differ in names, in what a cursor looks like, in how they write a moment, and in whether what the tables hold as
JSON comes as text. Nothing else may differ, and rows come in one order.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

_OURS = frozenset({"patientRecord", "accessTrail", "entries", "entry"})
_THEIRS = frozenset({"allEntries", "allAccesses", "entryByPatientIdAndEntryAndFromPos"})
_ROOTS = _OURS | _THEIRS
_NAMES = {"entry": "id", "access": "id", "atFacility": "facility", "inDocument": "document"}
_WITHIN = {"atFacility": {"facility": "number"}, "inDocument": {"document": "id"}}
_OF_A_ROW = {"document": "documentId"}
_MOMENTS = frozenset({"registeredAt", "dated", "at"})
_CURSORS = frozenset({"cursor", "endCursor"})
_AS_JSON = frozenset({"codings", "value"})


class AnswersDiffer(Exception):
    """Two servers answered the same question differently: their speeds cannot be compared."""


def check_equal(one: Any, other: Any, where: str) -> None:
    """Raises AnswersDiffer, with the places that differ."""
    found = list(differences(uniform(one), uniform(other)))
    if found:
        raise AnswersDiffer(f"{where}: {len(found)} differences, first at {', '.join(found[:3])}")


def uniform(answer: Any) -> Any:
    """An answer's data without its root fields."""
    while isinstance(answer, dict) and len(answer) == 1 and (root := next(iter(answer))) in _ROOTS:
        answer = answer[root]
    return _uniform(answer, "")


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Where they differ, and never by what."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            if key in one and key in other:
                yield from differences(one[key], other[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{path}/{place}")
    elif one != other:
        yield path


def _uniform(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {_name(inner, of, key): _uniform(of, inner) for inner, of in value.items()}
    if isinstance(value, list):
        return [_uniform(one, key) for one in value]
    if value is None:
        return None
    if key in _CURSORS:
        return "a cursor"
    if key in _MOMENTS:
        return datetime.fromisoformat(value)
    if key in _AS_JSON:
        return _stated(json.loads(value))
    return value


def _stated(value: Any) -> Any:
    """Of a result what is asked for; a coding is asked for whole."""
    return {name: value[name] for name in ("text", "number", "unit")} if isinstance(value, dict) else value


def _name(key: str, value: Any, within: str) -> str:
    if key in _WITHIN.get(within, {}):
        return _WITHIN[within][key]
    if not isinstance(value, dict) and key in _OF_A_ROW:
        return _OF_A_ROW[key]
    return _NAMES.get(key, key)
