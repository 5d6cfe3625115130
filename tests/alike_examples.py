"""Two answers about two patients, made comparable byte by byte: what they can never have in common is renamed alike.

VOLATILE is what the schema itself declares to differ between two readings of one record. Nothing else is blanked:

* An id becomes the number of its first appearance; a moment at which something was recorded becomes its rank among all
  such moments of the answer. So it is still compared how many there are, which are equal, where each stands and in what
  order of time: a row, a reference or a moment too many shifts everything behind it. What is lost is the value alone,
  which is random for an id, and for a moment when the test happened to send something.
* A cursor or a node's id is opened, and what it holds is compared in the same way, beside its length.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from tsuzuri.graphql.seals import SealBroken, Seals

VOLATILE = ("accessId", "position", "recordedAt", "lagSeconds")
"""Of one look: that it is there and how long it is counts, and no more."""
CURSORS = ("cursor", "startCursor", "endCursor")
LISTS = (
    "entries",
    "documents",
    "timeline",
    "changes",
    "referrals",
    "accesses",
    "inbox",
    "outbox",
    "own-corrections",
)
"""What cursors are for; each is bound to a patient or a facility besides."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_FOOT = re.compile(r"(<footer><p>)[^<]*?( に )")
_TOKEN = re.compile(r"(token=)([\w-]+)")


@dataclass(frozen=True)
class Own:
    """What answers about one world name that those about its twin name otherwise."""

    seals: Seals
    began: datetime  # aware: what was recorded lies behind it, and nothing that was sent does
    scopes: Collection[str]  # patients' ids and facilities, to which its cursors are bound
    names: Mapping[str, str]  # values of its own, such as its facility's number → what both are called


def alike(answer: Any, own: Own) -> str:
    """The answer as JSON in which nothing is left that differs between two worlds that look the same."""
    text = orjson.dumps(_told(answer, own, "")).decode()
    for value, name in own.names.items():
        text = text.replace(value, name)
    text = _TOKEN.sub(lambda found: f"{found[1]}{len(found[2])} characters", _FOOT.sub(r"\1…\2", text))
    return _ranked(_numbered(text), own.began)


def _told(value: Any, own: Own, field: str) -> Any:
    if isinstance(value, dict):
        return {name: _told(inner, own, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_told(inner, own, field) for inner in value]
    if value is None:
        return None
    if field in VOLATILE:
        told_by_its_length = (
            isinstance(value, str) and field != "recordedAt"
        )  # a fraction ends without noughts
        return f"… {len(value)}" if told_by_its_length else "…"
    if field == "nodeId":
        return [len(value), own.seals.open("node", value)]
    if field in CURSORS:
        return [len(value), _opened(value, own)]
    return value


def _opened(cursor: str, own: Own) -> Any:
    for use in (f"{one}/{scope}" for scope in own.scopes for one in LISTS):
        try:
            return own.seals.open(use, cursor)
        except SealBroken:
            continue
    raise AssertionError("a cursor opens for no list that is known here: name its list in LISTS")


def _numbered(text: str) -> str:
    numbers: dict[str, int] = {}
    return _ID.sub(lambda found: f"#{numbers.setdefault(found[0], len(numbers))}", text)


def _ranked(text: str, began: datetime) -> str:
    recorded = sorted({at for found in _MOMENT.findall(text) if (at := _moment(found)) >= began})
    ranks = {at: rank for rank, at in enumerate(recorded)}
    return _MOMENT.sub(
        lambda found: f"@{ranks[at]}" if (at := _moment(found[0])) in ranks else found[0], text
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
