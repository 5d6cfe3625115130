"""`tsuzuri check`: the rules alone, told to a person and to a program; 1 for an error, 2 for what cannot be read."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rule_bundles import collection
from rule_resources import Json, condition, of, patient
from tsuzuri.app.cli import main
from written_rule_examples import put

CANARY = "カナリア"
BROKEN = put(collection(), "identifier.value", CANARY)


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def results(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Check = Callable[..., Done]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["tsuzuri", "check", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Done(code or 0, out, err)

    return run


def written(folder: Path, name: str, *trees: Json) -> Path:
    file = folder / name
    file.write_text("\n".join(json.dumps(tree, ensure_ascii=False) for tree in trees), encoding="utf-8")
    return file


def test_a_good_bundle_is_good(check: Check, tmp_path: Path) -> None:
    file = written(tmp_path, "good.json", collection())

    done = check(file)

    assert (done.code, done.err) == (0, "")
    assert done.out == f"good       {file}\n1 checked under clins-1.10: 1 good\n"


def test_a_broken_one_is_told_by_rule_place_message_and_fix(check: Check, tmp_path: Path) -> None:
    file = written(tmp_path, "bad.json", BROKEN)

    done = check(file, "--language", "ja")

    assert done.code == 1
    first, rule, place, fix, last = done.out.splitlines()
    assert first == f"broken     {file}  1 error"
    assert rule.startswith("  error    R2152  Bundle.identifier.value が「医療機関番号10桁^西暦4桁^")
    assert (place, fix) == ("           at Bundle.identifier.value", "           → この形式にしてください")
    assert last == "1 checked under clins-1.10: 1 broken"
    assert CANARY not in done.out


def test_many_places_of_one_rule_are_counted(check: Check, tmp_path: Path) -> None:
    file = written(tmp_path, "many.json", collection(*[of(condition(), encounter=None)] * 9))

    done = check(file)

    assert done.out.count("R9016C") == 1
    assert "           and 4 more places\n" in done.out


def test_a_program_gets_one_line_for_each_file_and_line(check: Check, tmp_path: Path) -> None:
    written(tmp_path, "a.json", patient())
    written(tmp_path, "b.ndjson", condition(), of(condition(), code=None))

    done = check(tmp_path, "--json")

    assert done.code == 1
    assert [(Path(told["file"]).name, told["status"]) for told in done.results] == [
        ("a.json", "good"), ("b.ndjson:1", "good"), ("b.ndjson:2", "broken"),
    ]  # fmt: skip
    assert done.results[2]["broken"] == [
        {
            "rule": "T:JP_Condition_eCS.code",
            "severity": "error",
            "path": "Condition.code",
            "message": "code is missing",
            "fix": "Add code",
        }
    ]


def test_another_policy_and_other_severities_may_be_asked(check: Check, tmp_path: Path) -> None:
    file = written(tmp_path, "bad.json", BROKEN)

    assert check(file, "--policy", "shape").code == 0
    lenient = check(file, "--severity", "R2152=warning", "--json")

    assert (lenient.code, lenient.results[0]["status"]) == (0, "good")
    assert [one["severity"] for one in lenient.results[0]["broken"]] == ["warning"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--policy", "clins-9"], "there is no policy 'clins-9'"),
        (["--severity", "R9999=off"], "there is no rule 'R9999'"),
        (["--language", "fr"], "'fr' is not one of"),
    ],
)
def test_wrong_usage_is_named(check: Check, tmp_path: Path, arguments: list[str], says: str) -> None:
    done = check(written(tmp_path, "a.json", patient()), *arguments)

    assert (done.code, done.out) == (2, "")
    assert says in done.err


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a":' * 2000, b'"\\ud800"'])
def test_what_cannot_be_read_ends_with_two_and_the_others_are_told(
    check: Check, tmp_path: Path, body: bytes
) -> None:
    (tmp_path / "a.json").write_bytes(body)
    written(tmp_path, "b.json", BROKEN)

    done = check(tmp_path, tmp_path / "absent.json", "--json")

    assert done.code == 2
    assert [told["status"] for told in done.results] == ["unreadable", "broken", "unreadable"]
    assert done.results[2]["reason"] == "cannot be read: No such file or directory"


def test_what_is_too_large_is_told_by_its_rule(check: Check, tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    file.write_bytes(b'{"resourceType":"Bundle"}' + b" " * (10 * 1024 * 1024))

    done = check(file, "--json")

    assert done.code == 1
    assert [one["rule"] for one in done.results[0]["broken"]] == ["T0001"]


def test_it_needs_neither_database_nor_fhir_models() -> None:
    program = (
        "import sys, tsuzuri.app.commands.check\n"
        "print([name for name in ('psycopg', 'fhir', 'strawberry', 'eventsourcing') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
