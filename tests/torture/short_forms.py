"""Every torture in its short form: the same harness, the same controls, a small share of the work.

The tests are in several files, because a file of tests is run by one process.
"""

from pathlib import Path

from torture.__main__ import torture
from torture.harness import torment

SHARE = 0.02
SHARES = {
    "planted_bug": 0.05,
    "revocations": 0.01,
    "non_interference": 0.01,
    "slow_connections": 0.1,
    "proofs_agree": 0.001,
}  # of those that would have too little to do, or too much


def assert_it_finds_no_fault_but_in_its_controls(name: str, folder: Path) -> None:
    lines: list[str] = []
    good = torment(torture(name), folder, SHARES.get(name, SHARE), lines.append)
    assert good, "\n".join(lines)
