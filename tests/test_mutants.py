"""`make mutants` counts what survives against the code, explained or not. The run takes too long for a test."""

from pathlib import Path

import pytest

from mutants import DECISION, GROUPS, ROOT, SURVIVORS, Mutant, change, reasons_on_file, report

KILLED = Mutant("domain.access.x_decide", "domain/access.py", "killed", "")
SURVIVED = Mutant("domain.access.x_decide", "domain/access.py", "survived", "a == b → a != b")


@pytest.mark.parametrize(
    ("killed", "survived", "good"), [(9, 1, True), (89, 11, False), (5, 0, True), (0, 0, False)]
)
def test_below_its_bar_a_group_fails_and_a_reason_does_not_help(
    killed: int, survived: int, good: bool
) -> None:
    reasons = {(SURVIVED.function, SURVIVED.change): "equivalent"}

    assert report(DECISION, [KILLED] * killed + [SURVIVED] * survived, reasons) is good


@pytest.mark.parametrize("status", ["no tests", "suspicious", "segfault", "not checked", "skipped"])
def test_only_what_a_test_noticed_or_what_never_ends_is_killed(status: str) -> None:
    assert not Mutant("f", "domain/access.py", status, "").killed
    assert Mutant("f", "domain/access.py", "timeout", "").killed


def test_a_survivor_without_a_reason_is_printed_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    report(DECISION, [SURVIVED], {})
    assert "domain.access.x_decide: a == b → a != b  # NO REASON ON FILE" in capsys.readouterr().out

    report(DECISION, [SURVIVED], reasons_on_file("domain.access.x_decide: a == b → a != b  # equivalent\n"))
    assert "a == b → a != b  # equivalent" in capsys.readouterr().out


def test_a_change_is_told_by_its_lines_alone() -> None:
    diff = "--- a\n+++ b\n@@ -1,3 +1,3 @@\n def f():\n-    return 1\n+    return 2\n"

    assert change(diff) == "return 1 → return 2"


def test_every_file_and_every_reason_on_file_can_be_read() -> None:
    for group in GROUPS.values():
        for name in group.tests:
            assert Path(ROOT, name).is_file()
        for name in group.code:
            assert Path(ROOT, name).is_file()
    assert all(reasons_on_file(SURVIVORS.read_text("utf-8")).values())
