"""The rules that a Bundle breaks, as its sender's system is told of them."""

from collections.abc import Iterable
from typing import Any

from tsuzuri.domain.rules.rule import Broken

PLACES_MAX = 100  # of one rule: a Bundle of 10 MB may break one a hundred thousand times


def broken_rules(broken: Iterable[Broken]) -> list[dict[str, Any]]:
    """One object a rule, in the order of their first places: how severe, what it says, how to mend it, and where."""
    by_rule: dict[str, list[Broken]] = {}
    for one in broken:
        by_rule.setdefault(one.rule, []).append(one)
    return [
        {
            "rule": rule,
            "severity": places[0].severity,
            "message": {"en": places[0].message.en, "ja": places[0].message.ja},
            "fix": {"en": places[0].fix.en, "ja": places[0].fix.ja},
            "places": len(places),
            "paths": [one.path for one in places[:PLACES_MAX]],
        }
        for rule, places in by_rule.items()
    ]
