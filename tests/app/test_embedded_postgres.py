"""The embedded server against real processes: who owns it, who outlives whom, what a crash leaves behind."""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import psycopg
import pytest

from tsuzuri.app.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresUnavailable

KEEP_OPEN = """
import sys
from pathlib import Path
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.owner, server.dsn, flush=True)
    sys.stdin.read()
"""
HIDDEN_ROOT = """read mapped
exec sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"' - "$@"
"""  # the second exec gives root its powers back, which the first, still without a map, lost

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="shows what root does")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux sends the death signal")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "postgres"


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home whose parents everyone may enter; pytest's own are for its user alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder / "postgres"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedPostgres]:
    """One server for the tests that leave it as it is."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder, "postgres")) as server:
        yield server


@contextmanager
def another_process(home: Path, *before: str) -> Iterator[subprocess.Popen[str]]:
    """A process that enters EmbeddedPostgres on *home*, and leaves when its input is closed."""
    command = [*before, sys.executable, "-c", KEEP_OPEN, str(home)]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def answer(process: subprocess.Popen[str]) -> tuple[bool, str]:
    """Whether the other process owns the server, and its DSN."""
    assert process.stdout is not None and process.stderr is not None
    words = process.stdout.readline().split()
    assert len(words) == 2, process.stderr.read()
    return words[0] == "True", words[1]


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0


def execute(dsn: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def server_pid(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state) and not state.startswith("Z")


def seconds_until(done: Callable[[], bool], at_most: float = 20) -> float:
    start = time.monotonic()
    while not done() and time.monotonic() - start < at_most:
        time.sleep(0.005)
    assert done()
    return time.monotonic() - start


GONE_SECONDS_MAX = 10


def expect_gone(pid: int) -> None:
    try:
        seconds_until(lambda: not is_running(pid), at_most=GONE_SECONDS_MAX)  # 0.05 on an idle machine
        assert not is_running(pid)
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGINT)  # a failed test leaves no server behind


def kill_owner_and_start_again(home: Path, before: Sequence[str] = ()) -> None:
    with another_process(home, *before) as owner:
        is_owner, dsn = answer(owner)
        assert is_owner
        execute(dsn, "CREATE TABLE story (line text)", "INSERT INTO story VALUES ('committed')")
        pid = server_pid(home)

        owner.kill()
        owner.wait()

        expect_gone(pid)
    with EmbeddedPostgres(home) as server:
        assert server.owner
        assert execute(server.dsn, "SELECT line FROM story") == [("committed",)]


def test_what_the_first_start_stores_the_second_finds(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        execute(server.dsn, "CREATE TABLE story (line text)", "INSERT INTO story VALUES ('記録')")
        pid = server_pid(home)
    assert not is_running(pid)

    with EmbeddedPostgres(home) as server:
        assert server.owner
        assert execute(server.dsn, "SELECT line FROM story") == [("記録",)]


def test_the_server_is_private_durable_and_off_the_network(running: EmbeddedPostgres) -> None:
    settings = {row[0]: row[1] for row in execute(running.dsn, "SELECT name, setting FROM pg_settings")}

    expected = {
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "password_encryption": "scram-sha-256",
    }
    assert {name: settings[name] for name in expected} == expected
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(running.dsn.replace("tsuzuri:", "tsuzuri:not"))
    for file in running.home.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


def test_the_log_repeats_nothing_of_a_failed_statement(running: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.DataError):
        execute(running.dsn, "SELECT 'somebody'::uuid")

    assert "somebody" not in (running.home / "server.log").read_text()


def test_a_second_process_attaches_and_may_leave_again(running: EmbeddedPostgres) -> None:
    with another_process(running.home) as second:
        assert answer(second) == (False, running.dsn)
        leave(second)

    assert execute(running.dsn, "SELECT 1") == [(1,)]


def test_a_fork_of_the_owner_does_not_stop_the_server(running: EmbeddedPostgres) -> None:
    child = os.fork()
    if child == 0:
        running.stop()
        os._exit(0)
    os.waitpid(child, 0)

    assert execute(running.dsn, "SELECT 1") == [(1,)]


def test_who_waits_for_a_vanished_owner_becomes_the_owner(home: Path) -> None:
    home.mkdir()
    with open(home / "owner.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with another_process(home) as waiting:
            time.sleep(0.5)
            assert not (home / "data").exists()

            lock.close()

            assert answer(waiting)[0]
            leave(waiting)


@on_linux
def test_the_server_dies_with_its_killed_owner(home: Path) -> None:
    kill_owner_and_start_again(home)


def test_a_stale_pid_file_harms_neither_the_start_nor_the_process_it_names(home: Path) -> None:
    with another_process(home) as owner:
        dsn = answer(owner)[1]
        pid = server_pid(home)
        leftover = (home / "data" / "postmaster.pid").read_text()
        owner.send_signal(signal.SIGSTOP)  # it must not tidy up
        os.kill(pid, signal.SIGKILL)  # ours: the other process, which we started, made it for us
        owner.kill()
        owner.wait()
        assert dsn
    unrelated = subprocess.Popen(["sleep", "60"], cwd=home / "data")
    try:
        for file in (home / "data" / "postmaster.pid", home / "run" / ".s.PGSQL.5433.lock"):
            file.parent.mkdir(exist_ok=True)  # whoever watches over the server may have tidied up already
            file.write_text(leftover.replace(str(pid), str(unrelated.pid), 1))

        with EmbeddedPostgres(home) as server:
            assert execute(server.dsn, "SELECT 1") == [(1,)]

        assert unrelated.poll() is None
    finally:
        unrelated.kill()
        unrelated.wait()


def test_an_interrupted_initdb_does_not_poison_the_next_start(home: Path) -> None:
    with another_process(home) as owner:
        seconds_until((home / "data.unfinished" / "base").exists)
        owner.kill()
        owner.wait()
        assert not (home / "data").exists()

    with EmbeddedPostgres(home) as server:
        assert execute(server.dsn, "SELECT 1") == [(1,)]


def test_another_thread_is_refused(home: Path) -> None:
    said: list[str] = []

    def enter() -> None:
        try:
            with EmbeddedPostgres(home):
                said.append("entered")
        except EmbeddedPostgresUnavailable as error:
            said.append(str(error))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()

    assert len(said) == 1 and "main thread" in said[0]
    assert not home.exists()


def test_a_home_too_long_for_a_socket_gets_a_private_folder_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / ("長い" * 20) / ("so,long" * 20) / "postgres"
    with EmbeddedPostgres(home) as server:
        assert execute(server.dsn, "SELECT 1") == [(1,)]
        sockets = Path(psycopg.conninfo.conninfo_to_dict(server.dsn)["host"])  # type: ignore[arg-type]  # it has a host
        with another_process(home) as second:
            assert answer(second) == (False, server.dsn)
    assert sockets.stat().st_mode & 0o777 == 0o700

    sockets.rmdir()
    sockets.symlink_to(tmp_path)  # anyone can leave this in a shared folder
    try:
        with pytest.raises(EmbeddedPostgresUnavailable, match="not a private folder"):
            with EmbeddedPostgres(home):
                pass
    finally:
        sockets.unlink()


def test_binaries_that_are_not_there_are_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TSUZURI_PG_BIN", str(tmp_path / "nowhere"))

    with pytest.raises(EmbeddedPostgresUnavailable, match=r"TSUZURI_PG_BIN.*nowhere.*tsuzuri\[embedded\]"):
        with EmbeddedPostgres(home):
            pass


def test_a_failed_start_shows_the_end_of_the_log(home: Path) -> None:
    with EmbeddedPostgres(home):
        pass
    with open(home / "data" / "postgresql.conf", "a") as configuration:
        configuration.write("\nno_such_setting = 1\n")

    with pytest.raises(EmbeddedPostgresUnavailable, match=r"server\.log:\n(.*\n)*.*no_such_setting"):
        with EmbeddedPostgres(home):
            pass


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedPostgresUnavailable, match="file/postgres.*TSUZURI_HOME"):
        with EmbeddedPostgres(tmp_path / "file" / "postgres"):
            pass


@as_root
@on_linux
def test_root_runs_the_server_as_the_owner_of_the_home(open_home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    open_home.mkdir(mode=0o700)
    os.chown(open_home, nobody.pw_uid, nobody.pw_gid)

    kill_owner_and_start_again(open_home)

    everything = [open_home, *open_home.rglob("*")]
    assert {file.lstat().st_uid for file in everything} == {nobody.pw_uid}
    assert open_home.parent.stat().st_mode & 0o777 == 0o755


@contextmanager
def root_without_namespaces(home: Path, ids: int) -> Iterator[subprocess.Popen[str]]:
    """Root as in most containers: *ids* accounts, and no user namespace to be had."""
    with another_process(home, "unshare", "--user", "sh", "-c", HIDDEN_ROOT, "-") as process:
        own = os.readlink("/proc/self/ns/user")
        try:
            seconds_until(lambda: os.readlink(f"/proc/{process.pid}/ns/user") != own, at_most=2)
        except AssertionError:
            pytest.skip("this machine has no user namespaces to take away")
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{process.pid}/{name}").write_text(f"0 0 {ids}\n")
        assert process.stdin is not None
        process.stdin.write("mapped\n")
        process.stdin.flush()
        yield process


@as_root
@on_linux
def test_without_namespaces_root_gives_the_home_to_an_account(open_home: Path) -> None:
    with root_without_namespaces(open_home, ids=65536) as owner:
        is_owner, dsn = answer(owner)
        assert is_owner
        execute(dsn, "SELECT 1")
        pid = server_pid(open_home)
        assert open_home.owner() in ("postgres", "nobody")
        assert open_home.parent.owner() == "root"

        owner.kill()
        owner.wait()

        expect_gone(pid)


@as_root
@on_linux
def test_without_namespaces_and_accounts_root_is_told_so(open_home: Path) -> None:
    with root_without_namespaces(open_home, ids=1) as process:
        message = process.communicate()[1]

    assert "refuses to run as root" in message


@pytest.mark.debian
def test_the_distributions_binaries_serve_as_well(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("no PostgreSQL under /usr/lib/postgresql")
    monkeypatch.setenv("TSUZURI_PG_BIN", str(found[-1]))
    with EmbeddedPostgres(home) as server:
        version = execute(server.dsn, "SHOW server_version")[0][0]
        assert str(version).startswith(found[-1].parent.name)
        assert execute(server.dsn, "SELECT lower('Ａ'), current_setting('server_encoding')")[0][1] == "UTF8"

    monkeypatch.delenv("TSUZURI_PG_BIN")
    if not str(version).startswith("18"):
        with pytest.raises(EmbeddedPostgresUnavailable, match="TSUZURI_PG_BIN"):
            with EmbeddedPostgres(home):
                pass
