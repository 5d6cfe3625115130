"""The list of failpoints and those in the code are the same: a step that the torture does not know is not tried."""

import re
from collections import Counter
from pathlib import Path

from tsuzuri.projections.failpoints import FAILPOINTS

ROOT = Path(__file__).parents[2]
_CALL = re.compile(r"\bfailpoint\(\s*([^)\s]*)\s*\)")


def called() -> list[str]:
    """The argument of each call, as it stands in the code; definitions have a type in it."""
    return [
        argument
        for room in ("projections", "app")
        for path in sorted((ROOT / room).rglob("*.py"))
        for argument in _CALL.findall(path.read_text("utf-8"))
    ]


def test_every_failpoint_is_listed_and_every_listed_one_is_there() -> None:
    assert set(called()) == {f'"{name}"' for name in FAILPOINTS}


def test_none_is_listed_twice() -> None:
    assert [name for name, times in Counter(FAILPOINTS).items() if times > 1] == []
