"""Every torture in its short form: the same harness, the same controls, a small share of the work."""

from pathlib import Path

import pytest

from torture.__main__ import ACCESSES, API, DOCUMENTS, LOG, PROJECTIONS, WATCHES, torture
from torture.harness import torment

SHARE = 0.02
SHARES = {
    "planted_bug": 0.05,
    "revocations": 0.01,
    "non_interference": 0.01,
    "slow_connections": 0.1,
}  # of those that would have too little to do, or too much


@pytest.mark.parametrize("name", LOG + PROJECTIONS + DOCUMENTS + ACCESSES + API + WATCHES)
def test_torture(name: str, tmp_path: Path) -> None:
    lines: list[str] = []
    good = torment(torture(name), tmp_path, SHARES.get(name, SHARE), lines.append)
    assert good, "\n".join(lines)
