"""The file of key-encryption keys: what it may say, how it wraps, and how it grows and shrinks."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from examples import NOON
from tsuzuri.app.key_file import IN_FLIGHT, SETTING, KeyFile, TooEarly, new_epoch
from tsuzuri.app.settings import SettingsWrong
from tsuzuri.eventlog.data_keys import KeyUnavailable, about_key

KEY = "5e" * 32
FIRST = f"1 {KEY} 2026-01-01T00:00:00+00:00\n"
ABOUT = about_key(UUID(int=1), UUID(int=2), "record")
A_MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of one epoch."""
    path = tmp_path / "encryption.keys"
    path.write_text(FIRST)
    return path


# --- what it says


@pytest.mark.parametrize(
    "line",
    [
        f"two {KEY} 2026-01-01T00:00:00Z",
        f"2 {KEY[:-2]} 2026-01-01T00:00:00Z",
        f"2 {KEY}00 2026-01-01T00:00:00Z",
        f"2 {KEY[:-1]}x 2026-01-01T00:00:00Z",
        f"2 {KEY} yesterday",
        f"2 {KEY} 2026-01-01T00:00:00",
        f"2 {KEY}",
        f"2 {KEY} 2026-01-01T00:00:00Z mine",
        f"1 {KEY} 2026-01-01T00:00:00Z",
        f"２ {KEY} 2026-01-01T00:00:00Z",
        f"-2 {KEY} 2026-01-01T00:00:00Z",
        f"{1 << 31} {KEY} 2026-01-01T00:00:00Z",
        f"{1 << 32} {KEY} 2026-01-01T00:00:00Z",
    ],
    ids=lambda line: line.replace(KEY, "KEY").replace(KEY[:-2], "SHORT"),
)
def test_a_line_that_cannot_be_used_is_named_and_its_key_is_not(path: Path, line: str) -> None:
    path.write_text(f"{FIRST}\n{line}\n")

    with pytest.raises(SettingsWrong) as wrong:
        KeyFile(path)

    assert str(wrong.value).startswith(f"{SETTING}: line 3 of {path} is not ")
    assert KEY[:8] not in str(wrong.value)
    assert wrong.value.__cause__ is None and wrong.value.__suppress_context__


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_file_without_any_key_says_how_to_make_one(path: Path, text: str) -> None:
    path.write_text(text)

    with pytest.raises(SettingsWrong, match="tsuzuri keys new > FILE"):
        KeyFile(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=f"{SETTING}: {tmp_path}/absent cannot be read"):
        KeyFile(tmp_path / "absent")


def test_the_highest_number_wraps_wherever_its_line_stands(path: Path) -> None:
    path.write_text("\n" + new_epoch(12).line() + "\n" + new_epoch(9).line() + FIRST)

    file = KeyFile(path)

    assert list(file.epochs()) == [1, 9, 12]
    assert KEY[:8] not in repr(file.epochs())
    assert file.wrap(b"secret", ABOUT)[0] == 12


# --- wrapping


def test_what_was_wrapped_is_unwrapped_and_two_wrappings_differ(path: Path) -> None:
    file = KeyFile(path)

    (epoch, wrapped), (_, again) = file.wrap(b"secret", ABOUT), file.wrap(b"secret", ABOUT)

    assert file.unwrap(epoch, wrapped, ABOUT) == file.unwrap(epoch, again, ABOUT) == b"secret"
    assert wrapped[:12] != again[:12] and b"secret" not in wrapped


def test_a_wrapped_key_is_unwrapped_as_no_other_nor_after_a_change(path: Path) -> None:
    path.write_text(FIRST + f"2 {KEY} 2026-01-01T00:00:00Z\n")  # even under the same key
    file = KeyFile(path)
    epoch, wrapped = file.wrap(b"secret", ABOUT)
    others = [
        about_key(UUID(int=3), UUID(int=2), "record"),
        about_key(UUID(int=1), UUID(int=3), "record"),
        about_key(UUID(int=1), UUID(int=2), "access"),
    ]
    flipped = bytes([*wrapped[:-1], wrapped[-1] ^ 1])

    changed = [flipped, wrapped[:-1], wrapped[:9], b""]

    wrong = [(epoch, wrapped, other) for other in others] + [(epoch, one, ABOUT) for one in changed]
    for asked in [*wrong, (1, wrapped, ABOUT)]:
        with pytest.raises(KeyUnavailable):
            file.unwrap(*asked)


def test_without_the_epoch_or_with_another_installations_file_nothing_is_unwrapped(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.keys").write_text(new_epoch(1).line())
    epoch, wrapped = KeyFile(path).wrap(b"secret", ABOUT)

    with pytest.raises(KeyUnavailable, match="another installation's"):
        KeyFile(tmp_path / "other.keys").unwrap(epoch, wrapped, ABOUT)
    with pytest.raises(KeyUnavailable, match="has no key of epoch 7"):
        KeyFile(path).unwrap(7, wrapped, ABOUT)


# --- epochs come and go


def test_a_new_epoch_wraps_from_then_on_and_the_earlier_ones_still_unwrap(path: Path) -> None:
    file = KeyFile(path)
    _, before = file.wrap(b"secret", ABOUT)

    made = file.add_epoch(NOON)

    assert path.read_text() == FIRST + made.line()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (made.number, made.made_at) == (2, NOON)
    assert file.wrap(b"secret", ABOUT)[0] == 2
    assert file.unwrap(1, before, ABOUT) == b"secret"


def test_another_process_notices_the_change_by_itself(path: Path) -> None:
    file, another = KeyFile(path), KeyFile(path)

    epoch, wrapped = file.wrap(b"first", ABOUT)
    assert another.unwrap(epoch, wrapped, ABOUT) == b"first"
    file.add_epoch(NOON)
    epoch, wrapped = file.wrap(b"second", ABOUT)

    assert another.unwrap(epoch, wrapped, ABOUT) == b"second"
    assert another.newest == file.newest
    file.retire(set(), NOON + IN_FLIGHT)
    assert list(another.epochs()) == [2]


def test_for_ten_minutes_after_a_rotation_no_epoch_is_retired(path: Path) -> None:
    file = KeyFile(path)
    file.add_epoch(NOON)
    before = path.read_text()

    with pytest.raises(TooEarly, match="epoch 2 is too young: retire from 2026-11-22 03:10:00Z on"):
        file.retire(set(), NOON + timedelta(minutes=10) - A_MICROSECOND)
    assert path.read_text() == before

    assert file.retire(set(), NOON + timedelta(minutes=10)) == [1]


def test_epochs_in_use_and_the_newest_stay(path: Path) -> None:
    file = KeyFile(path)
    made = [file.add_epoch(NOON + timedelta(days=day)) for day in range(3)]
    later = NOON + timedelta(days=9)

    assert file.retire({2, 77}, later) == [1, 3]
    assert path.read_text() == made[0].line() + made[2].line()
    assert file.retire({2}, later) == []
    assert file.retire(set(), later) == [2]
    assert file.retire(set(), later) == []
    assert list(KeyFile(path).epochs()) == [4]


def test_who_reads_while_it_is_changed_finds_the_old_content_or_the_new(path: Path) -> None:
    changed = threading.Event()

    def read_on() -> int:
        reads = 0
        while not changed.is_set() or reads < 50:
            numbers = list(KeyFile(path).epochs())
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and len(numbers) <= 2
            reads += 1
        return reads

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read_on)
        try:
            for day in range(100):
                KeyFile(path).add_epoch(NOON + timedelta(days=day))
                KeyFile(path).retire(set(), NOON + timedelta(days=day + 1))
        finally:
            changed.set()
        assert reading.result(60) >= 50
    assert not list(path.parent.glob("*.new"))


ADD = """
import sys
from pathlib import Path
from tsuzuri.app.key_file import KeyFile

file = KeyFile(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(*(file.add_epoch().key.hex() for _ in range(50)))
"""


def test_of_two_who_add_epochs_at_once_neither_takes_the_others_away(path: Path) -> None:
    """What has been wrapped under it in between could never be read again."""
    command, pipe = [sys.executable, "-c", ADD, str(path)], subprocess.PIPE
    adding = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) for _ in range(2)]
    for process in adding:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in adding:
        assert process.stdin is not None
        process.stdin.write("now\n")

    one, other = (process.communicate(timeout=60)[0].split() for process in adding)

    assert len(one) == len(other) == 50
    left = {epoch.key.hex() for epoch in KeyFile(path).epochs().values()}
    assert {KEY, *one, *other} - left == set()
