"""The tortures of witnesses, in their short forms."""

from pathlib import Path

import pytest

from torture.__main__ import WITNESSES
from torture.short_forms import assert_it_finds_no_fault_but_in_its_controls


@pytest.mark.parametrize("name", WITNESSES)
def test_torture(name: str, tmp_path: Path) -> None:
    assert_it_finds_no_fault_but_in_its_controls(name, tmp_path)
