"""The tortures of the audit, in their short forms."""

from pathlib import Path

import pytest

from torture.__main__ import REPLAYS
from torture.short_forms import assert_it_finds_no_fault_but_in_its_controls


@pytest.mark.parametrize("name", REPLAYS)
def test_torture(name: str, tmp_path: Path) -> None:
    assert_it_finds_no_fault_but_in_its_controls(name, tmp_path)
