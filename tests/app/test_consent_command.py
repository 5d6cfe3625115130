"""`tsuzuri consent check`: what Consents would mean, told to a person and to a program; no database is there to ask."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from consent_examples import Json, a_consent, a_facility, deny, permit
from examples import HOSPITAL, NUMBER
from tsuzuri.app.cli import main

Check = Callable[..., tuple[int, str]]
GOOD = a_consent(dateTime="2026-11-20")
REFUSED = a_consent(permit(actor=None))


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("TSUZURI_DATABASE", "postgresql://nowhere.invalid/none")

    def run(*arguments: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["tsuzuri", "consent", "check", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capfd.readouterr().out

    return run


def written(folder: Path, name: str, *trees: Json) -> Path:
    file = folder / name
    file.write_text("\n".join(json.dumps(tree, ensure_ascii=False) for tree in trees), encoding="utf-8")
    return file


def test_what_a_consent_means_is_told(check: Check, tmp_path: Path) -> None:
    code, out = check(written(tmp_path, "good.json", GOOD))

    assert code == 0
    assert out.splitlines() == [
        f"expressed  {tmp_path}/good.json",
        f"  means    {HOSPITAL} may see CONDITION, for TREAT, until 2089-12-31T15:00:00+00:00; given: patient",
        "  not kept Consent.dateTime",
        "1 checked: 1 expressed",
    ]


def test_what_is_missing_is_told_and_the_code_is_1(check: Check, tmp_path: Path) -> None:
    code, out = check(written(tmp_path, "all.ndjson", GOOD, REFUSED, {"resourceType": "Patient"}))

    assert code == 1
    assert (
        f"refused    {tmp_path}/all.ndjson:2\n  missing  Consent.provision.actor: name the facilities" in out
    )
    assert out.endswith("3 checked: 1 expressed, 1 refused, 1 other\n")


def test_a_file_that_cannot_be_read_gives_2(check: Check, tmp_path: Path) -> None:
    code, out = check(tmp_path / "nowhere.json")

    assert code == 2 and "unreadable" in out


def test_a_program_gets_a_line_for_each(check: Check, tmp_path: Path) -> None:
    elsewhere = a_consent(deny(actor=[a_facility()]), patient={"reference": "Patient/f001"})
    code, out = check("--json", written(tmp_path, "all.ndjson", elsewhere, REFUSED))

    first, second = map(json.loads, out.splitlines())
    assert code == 1
    assert (first["status"], first["namesPatient"]) == ("expressed", False)
    assert first["means"] == [f"{HOSPITAL} is denied everything, until that is lifted"]
    assert (second["status"], second["namesPatient"]) == ("refused", None)
    assert [one["path"] for one in second["missing"]] == ["Consent.provision.actor"]


def test_whoever_stands_for_the_patient_and_her_number_are_not_told(check: Check, tmp_path: Path) -> None:
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "PRN"}]}
    reference = {"identifier": {"system": "urn:tsuzuri:person", "value": "カナリア"}}
    purpose = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "FAMRQT"}
    person = permit(actor=[{"role": role, "reference": reference}], purpose=[purpose], **{"class": None})
    file = written(tmp_path, "person.json", a_consent(person))

    for arguments in ([file], ["--json", file]):
        code, out = check(*arguments)
        assert code == 0 and "PARENT" in out
        assert "カナリア" not in out and NUMBER not in out
