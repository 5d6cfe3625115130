"""`tsuzuri ingest` as a person runs it: every file is accounted for, whatever is in it."""

import errno
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import shared_data
from examples import CLINIC, HOSPITAL, a_bundle
from log_examples import LEAST_RULES
from tsuzuri.app.commands.given_files import Result, find, pieces
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.domain.fhir.bundle import SIZE_MAX_BYTES

COMMAND = [sys.executable, "-c", "from tsuzuri.app.cli import main; main()"]
NAME = "カナリア 花子"
NUMBER = "31415926:カナリア:31415926:01"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Home:
    """One installation; its server stays up between the commands, which attach to it."""

    folder: Path

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TSUZURI_")}
        kept |= {name: os.environ[name] for name in ("TSUZURI_PG_BIN",) if name in os.environ}
        return kept | LEAST_RULES | {"TSUZURI_HOME": str(self.folder)}

    def tsuzuri(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def ingest(self, *arguments: str | Path, code: int) -> list[str]:
        """What the command says to a person, line by line."""
        done = self.tsuzuri("ingest", *arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout.splitlines()

    def results(self, *arguments: str | Path, code: int) -> list[dict[str, str]]:
        """What the command says to a program."""
        return [json.loads(line) for line in self.ingest("--json", *arguments, code=code)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("installation")
    with EmbeddedPostgres(folder / "postgres"):
        yield Home(folder)


def bundle(local_id: str, **more: Any) -> bytes:
    return a_bundle(local_id=local_id, name=NAME, number=NUMBER, **more)


def as_r5(received: bytes) -> bytes:
    """The Condition as FHIR R5 would have it: participants in place of the recorder."""
    tree = json.loads(received)
    tree["entry"][1]["resource"]["participant"] = [{"actor": {"display": NAME}}]
    return json.dumps(tree).encode()


def without_identifiers(received: bytes) -> bytes:
    tree = json.loads(received)
    del tree["entry"][0]["resource"]["identifier"]
    return json.dumps(tree).encode()


# Each with its status, and what its line says besides the file's name.
DAMAGED: dict[str, tuple[bytes, str, str]] = {
    "truncated.json": (bundle("cut")[:-700], "unreadable", "line 1 column "),
    "second-line.json": (b'{"resourceType": "Bundle",\n "type": ]', "unreadable", "line 2 column 10"),
    "empty.json": (b"", "unreadable", "line 1 column 1"),
    "latin.json": (bundle("latin").replace("花".encode(), b"\xff"), "unreadable", "byte "),
    "wrong-type.json": (bundle("type").replace(b'"collection"', b'"searchset"'), "rejected", "Bundle.type"),
    "wrong-kind-of-value.json": (
        bundle("value").replace(b'"birthDate":"1970-01-02"', b'"birthDate":19700102'),
        "rejected",
        "Bundle.entry[0].resource.birthDate",
    ),
    "too-large.json": (
        bundle("large").replace(b'"collection"', b'"collection"' + b" " * int(10.5 * MEGABYTE)),
        "rejected",
        "larger than 10 MB",
    ),
    "no-identifier.json": (
        without_identifiers(bundle("nobody")),
        "rejected",
        "Bundle.entry[0].resource.identifier",
    ),
    "nul.json": (
        bundle("nul").replace(b'"birthDate"', b'"id":"\\u0000","birthDate"'),
        "rejected",
        "Bundle.entry[0].resource.id",
    ),
    "nul-in-her-name.json": (
        a_bundle(local_id="nul-name", name=f"{NAME}\0", number=NUMBER),
        "rejected",
        "Bundle.entry[0].resource.name[0].text",
    ),
    "r5.json": (as_r5(bundle("r5")), "rejected", "Bundle.entry[1].resource: "),
    "patient.json": (b'{"resourceType": "Patient"}', "not-a-bundle", "resourceType Patient"),
    "a-list.json": (b"[]", "not-a-bundle", "no JSON object"),
    "notes.txt": (f"{NAME} called".encode(), "unreadable", "line 1 column 1"),
    ".hidden.json": (b"{", "unreadable", "line 1 column "),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it comes: good and damaged files side by side, some further down, some not ours to read."""
    top = tmp_path_factory.mktemp("received")
    for name, (content, _, _) in DAMAGED.items():
        (top / name).write_bytes(content)
    deep = top / "2026" / "11"
    deep.mkdir(parents=True)
    (deep / "good.json").write_bytes(bundle("good"))
    (top / "zero").mkdir()
    return top


# --- damaged files


@pytest.fixture(scope="module")
def told(home: Home, folder: Path) -> list[str]:
    """The lines of one run over the folder."""
    return home.ingest(folder, code=1)


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_gets_one_line_that_names_file_place_and_reason(
    told: list[str], folder: Path, name: str
) -> None:
    _, status, says = DAMAGED[name]

    (line,) = (line for line in told if str(folder / name) in line)

    assert line.split()[0] == status
    reason = line.split(f"{folder / name}  ")[1]
    assert says in reason
    assert len(reason) > 15


def test_no_line_tells_anything_of_the_patient(told: list[str]) -> None:
    spoken = "\n".join(told)

    assert not any(word in spoken for word in (*NAME.split(), "31415926", "1970-01-02"))


def test_what_was_good_went_in_and_everything_was_counted(told: list[str]) -> None:
    statuses = Counter(status for _, status, _ in DAMAGED.values())

    assert told[-1] == (
        f"{len(DAMAGED) + 1} read: 1 registered, {statuses['rejected']} rejected, "
        f"{statuses['not-a-bundle']} not-a-bundle, {statuses['unreadable']} unreadable"
    )
    assert len(told) == len(DAMAGED) + 1


def test_the_second_time_nothing_changes_and_each_file_has_a_line_of_json(
    home: Home, folder: Path, told: list[str]
) -> None:
    results = home.results(folder, code=1)

    assert {Path(r["file"]).name for r in results if "broken" in r} == {"too-large.json"}
    assert all(result.keys() - {"broken"} == {"file", "status", "reason"} for result in results)
    status = {Path(result["file"]).name: result["status"] for result in results}
    assert status == {name: expected for name, (_, expected, _) in DAMAGED.items()} | {
        "good.json": "unchanged"
    }
    assert [result["file"] for result in results] == sorted(result["file"] for result in results)


# --- NDJSON, folders, and files that are not there


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What may be named on the command line, all of it in one run."""
    top = tmp_path_factory.mktemp("named")
    for name in ("twice", "facilities", "empty"):
        (top / name).mkdir()
    broken = bundle("broken")[:-9]
    (top / "day.ndjson").write_bytes(b"\n".join([bundle("before"), broken, b"", bundle("after"), b""]))
    older, newer = bundle("twice"), bundle("twice", timestamp="2026-11-21T10:00:00+09:00")
    for n, received in enumerate((older, newer, older, newer)):
        (top / "twice" / f"{n}.json").write_bytes(received)
    for facility in (CLINIC, HOSPITAL):
        (top / "facilities" / f"{facility}.json").write_bytes(bundle("same", facility=facility))
    names = ("absent.json", "absent.ndjson", "day.ndjson", "twice", "facilities", "empty")
    return {name: top / name for name in names}


@pytest.fixture(scope="module")
def results(home: Home, paths: dict[str, Path]) -> list[dict[str, str]]:
    return home.results(*paths.values(), code=1)


def below(results: list[dict[str, str]], path: Path) -> list[dict[str, str]]:
    return [result for result in results if result["file"].startswith(str(path))]


def test_a_line_in_the_middle_that_is_broken_leaves_what_was_good_before_and_after(
    results: list[dict[str, str]], paths: dict[str, Path]
) -> None:
    file = paths["day.ndjson"]

    lines = below(results, file)

    assert [(line["file"], line["status"]) for line in lines] == [
        (f"{file}:1", "registered"),
        (f"{file}:2", "unreadable"),
        (f"{file}:4", "registered"),
    ]
    assert lines[1]["reason"].startswith("line 1 column ")


def test_other_bytes_under_the_same_identifier_replace_and_a_late_copy_does_not(
    results: list[dict[str, str]], paths: dict[str, Path]
) -> None:
    statuses = [result["status"] for result in below(results, paths["twice"])]

    assert statuses == ["registered", "replaced", "superseded", "unchanged"]


def test_an_operator_brings_in_bundles_of_several_facilities(
    results: list[dict[str, str]], paths: dict[str, Path]
) -> None:
    statuses = [result["status"] for result in below(results, paths["facilities"])]

    assert statuses == ["registered", "registered"]


@pytest.mark.parametrize("name", ["absent.json", "absent.ndjson"])
def test_a_file_that_is_not_there_is_unreadable_and_the_others_go_in(
    results: list[dict[str, str]], paths: dict[str, Path], name: str
) -> None:
    reason = "cannot be read: No such file or directory"
    assert below(results, paths[name]) == [
        {"file": str(paths[name]), "status": "unreadable", "reason": reason}
    ]


def test_an_empty_folder_holds_nothing_to_tell(results: list[dict[str, str]], paths: dict[str, Path]) -> None:
    assert below(results, paths["empty"]) == []


def test_all_of_it_again_changes_nothing_and_says_so(
    home: Home, results: list[dict[str, str]], paths: dict[str, Path]
) -> None:
    told = home.ingest(*paths.values(), code=1)

    assert told[-2:] == [
        f"{len(results)} read: 6 unchanged, 2 superseded, 3 unreadable",
        "nothing changed",
    ]


# --- what is large, what leads nowhere, and a run that is cut short


def test_a_line_that_is_too_large_is_rejected_and_the_next_one_goes_in(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "large.ndjson"
    blank = b" " * (SIZE_MAX_BYTES - len(bundle("largest")))
    largest = bundle("largest") + blank
    file.write_bytes(
        b"\n".join([b"9" * 3 * SIZE_MAX_BYTES, largest + b"\r", largest + b"  ", bundle("next")])
    )

    lines = home.results(file, code=1)

    assert [(line["file"], line["status"]) for line in lines] == [
        (f"{file}:1", "rejected"),
        (f"{file}:2", "registered"),
        (f"{file}:3", "rejected"),
        (f"{file}:4", "registered"),
    ]
    assert all("larger than 10 MB" in line["reason"] for line in (lines[0], lines[2]))


def test_links_that_lead_round_and_round_are_told_and_everything_is_read_once(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "good.json").write_bytes(b"{}")
    for n in range(12):  # followed without care, more ways through than anybody could wait for
        (tmp_path / "a" / f"to-b-{n}").symlink_to(tmp_path / "b")
        (tmp_path / "b" / f"to-a-{n}").symlink_to(tmp_path / "a")
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "nowhere.json").symlink_to(tmp_path / "absent")
    os.mkfifo(tmp_path / "pipe.json")

    found = list(find([tmp_path]))

    assert [path.resolve() for path in found if isinstance(path, Path)] == [
        tmp_path / "a" / "good.json",
        tmp_path / "b" / "good.json",
    ]
    told = {result.file: (result.status, result.reason) for result in found if isinstance(result, Result)}
    assert told[f"{tmp_path}/b"] == ("not-a-bundle", f"the same folder as {tmp_path}/a/to-b-0")
    assert told[f"{tmp_path}/itself"][0] == told[f"{tmp_path}/nowhere.json"][0] == "unreadable"
    assert told[f"{tmp_path}/pipe.json"] == ("unreadable", "neither a file nor a folder")


def test_a_folder_that_may_not_be_read_is_one_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "open.json").write_bytes(b"{}")

    def listed(folder: str | Path) -> list[str]:
        if Path(folder).name == "closed":  # root, who runs the tests in a container, may read all of them
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return ["closed", "open.json"]

    monkeypatch.setattr(os, "listdir", listed)

    assert list(find([tmp_path])) == [
        Result(f"{tmp_path}/closed", "unreadable", "cannot be read: Permission denied"),
        tmp_path / "open.json",
    ]


def test_a_name_that_is_not_utf8_can_be_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode("患者.json".encode("shift-jis"))).write_bytes(b"{}")

    (path,) = find([tmp_path])

    assert isinstance(path, Path)
    (piece,) = pieces(path)
    assert piece.file.startswith(str(tmp_path)) and piece.file.encode().endswith(b".json")


def test_who_is_killed_has_told_what_it_had_done(home: Home, tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.json" for n in range(7)]
    for n, file in enumerate(files):  # together so heavy that nothing more is read before they are done
        file.write_bytes(bundle(f"killed-{n}") if n < 3 else bytes(SIZE_MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe")
    told = tmp_path / "told"

    with (
        told.open("wb") as out,
        subprocess.Popen(
            [*COMMAND, "ingest", "--json", *map(str, files), f"{tmp_path}/pipe"],
            env=home.environment(),
            stdout=out,
        ) as running,
    ):
        try:
            deadline = time.monotonic() + 60
            while told.read_bytes().count(b"\n") < len(files):  # then it waits at the pipe: nobody writes
                assert running.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            running.kill()

    statuses = [json.loads(line)["status"] for line in told.read_text().splitlines()]
    assert statuses == ["registered"] * 3 + ["rejected"] * 4


# --- the published Bundles

PUBLISHED = ("jp-clins-1.5.2", "jp-echeckup-1.5.0", "jp-ereferral-0.9", "clinosim-jp/seed-20240701-documents")


@pytest.mark.realdata
def test_every_published_file_is_accounted_for_and_the_second_time_nothing_changes(home: Home) -> None:
    folders = [shared_data() / name for name in PUBLISHED]
    files = sorted(str(file) for folder in folders for file in folder.rglob("*") if file.is_file())

    first, second = home.results(*folders, code=0), home.ingest(*folders, code=0)

    assert sorted(result["file"] for result in first) == files
    # Two of the published referrals carry one identifier: the later of them replaces the earlier.
    assert Counter(result["status"] for result in first) == {
        "registered": 15,
        "replaced": 1,
        "not-a-bundle": 48,
    }
    assert second[-2:] == [
        f"{len(files)} read: 15 unchanged, 1 superseded, 48 not-a-bundle",
        "nothing changed",
    ]
