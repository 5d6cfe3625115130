"""Where the installation's keys come from, and what is said of one that cannot be used."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tsuzuri.app.keys import identifier_key, kept, role_key, seal_key
from tsuzuri.app.settings import Settings, SettingsWrong, read_settings

HEX = "0123456789abcdef" * 4

each_key = pytest.mark.parametrize(
    ("key", "setting", "file"),
    [
        (identifier_key, "TSUZURI_IDENTIFIER_KEY_FILE", "identifier.key"),
        (seal_key, "TSUZURI_SEAL_KEY_FILE", "seal.key"),
        (role_key, "TSUZURI_ROLE_KEY_FILE", "role.key"),
    ],
    ids=["identifier", "seal", "role"],
)
Key = Callable[[Settings], bytes]


@each_key
def test_a_key_is_given_in_hex(tmp_path: Path, key: Key, setting: str, file: str) -> None:
    (tmp_path / "key").write_text(f"{HEX.upper()}\n")

    assert key(read_settings({setting: str(tmp_path / "key")})) == bytes.fromhex(HEX)


@each_key
@pytest.mark.parametrize(
    "content",
    ["", HEX[:-2], HEX + "00", HEX[:-1] + "g", "あ" * 32],
    ids=["empty", "short", "long", "g", "kana"],
)
def test_what_is_no_key_is_refused_without_being_shown(
    tmp_path: Path, key: Key, setting: str, file: str, content: str
) -> None:
    (tmp_path / "key").write_text(content)

    with pytest.raises(SettingsWrong) as told:
        key(read_settings({setting: str(tmp_path / "key")}))

    assert str(told.value) == f"{setting}: the file holds 32 bytes as 64 hex digits"


@each_key
def test_a_key_file_that_is_not_there_is_named(tmp_path: Path, key: Key, setting: str, file: str) -> None:
    absent = tmp_path / "absent"

    with pytest.raises(SettingsWrong, match=f"{setting}: {absent} cannot be read"):
        key(read_settings({setting: str(absent)}))


@each_key
def test_with_the_embedded_database_a_key_is_made_once_for_its_owner_only(
    tmp_path: Path, key: Key, setting: str, file: str
) -> None:
    settings = read_settings({"TSUZURI_HOME": str(tmp_path)})

    first, second = key(settings), key(settings)

    assert first == second and len(first) == 32
    assert (tmp_path / "keys" / file).stat().st_mode & 0o777 == 0o600
    assert key(read_settings({"TSUZURI_HOME": str(tmp_path / "another")})) != first


def test_the_keys_are_different_ones(tmp_path: Path) -> None:
    settings = read_settings({"TSUZURI_HOME": str(tmp_path)})

    assert len({identifier_key(settings), seal_key(settings), role_key(settings)}) == 3


@each_key
def test_with_a_named_database_a_key_must_be_given(tmp_path: Path, key: Key, setting: str, file: str) -> None:
    settings = read_settings({"TSUZURI_DATABASE": "host=db", "TSUZURI_HOME": str(tmp_path)})

    with pytest.raises(SettingsWrong, match=f"{setting} is not set.*openssl rand -hex 32"):
        key(settings)

    assert list(tmp_path.iterdir()) == []


def test_of_two_who_make_a_key_at_once_the_first_one_counts(tmp_path: Path) -> None:
    file = tmp_path / "key"

    def slow() -> bytes:
        kept(file, lambda: b"the other's")
        return b"mine"

    assert kept(file, slow) == b"the other's"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_key_is_on_disk_before_anybody_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, link = os.fsync, os.link

    def noted_fsync(opened: int) -> None:
        done.append(f"fsync {os.path.relpath(os.readlink(f'/proc/self/fd/{opened}'), tmp_path)}")
        fsync(opened)

    def noted_link(*names: Path) -> None:
        done.append("link")
        link(*names)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "link", noted_link)

    kept(tmp_path / "home" / "keys" / "key", lambda: b"key")

    assert done == [
        f"fsync home/keys/key.{os.getpid()}.new",
        "link",
        "fsync home/keys",
        "fsync home",
        "fsync .",
    ]
