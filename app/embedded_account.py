"""Who runs the embedded server. PostgreSQL refuses root, so root lends it another identity.

Everything below the home folder belongs to the owner of that folder, and the server runs as this owner. Root
makes no account and touches nothing outside: it hides behind a user namespace, or gives the home folder away.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ACCOUNTS = ("postgres", "nobody")
"""Asked in this order where the system forbids user namespaces, as most containers do."""

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_ID_INSIDE = 1000  # any number but 0: what root is called inside its namespace
_LIBC = ctypes.CDLL(None, use_errno=True)  # opened before any fork: a forked child should load nothing
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}  # no PG* variable of the caller gets through


@dataclass(frozen=True)
class Runner:
    """An identity to run PostgreSQL's programs under: another account, a user namespace, or just ours."""

    account: tuple[int, int] | None = None  # uid, gid
    namespace: bool = False

    def start(
        self, command: Sequence[str | Path], folder: Path, output: int | IO[bytes], keep: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start *command* in *folder*, to end when the calling thread does (Linux; with SIGINT).

        *keep* are file descriptors it holds as long as it lives. It has its own session, so that Ctrl-C
        reaches only us, and we stop it in order.

        Raises:
            OSError, subprocess.SubprocessError: this identity cannot be taken, or does not reach *folder*.
        """
        owner = os.getpid()
        uid, gid = self.account or (None, None)
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            pass_fds=keep,
            start_new_session=True,
            user=uid,
            group=gid,
            extra_groups=None if self.account is None else (),
            preexec_fn=lambda: self._before_exec(owner, folder),
        )

    def _before_exec(self, owner: int, folder: Path) -> None:
        """Runs in the child, after it took the other account's ids."""
        if self.namespace:
            _enter_namespace()
        os.chdir(folder)  # here and not with cwd=, which root would follow with its own rights
        if sys.platform == "linux":
            # After the ids: the kernel forgets the death signal when a process changes them.
            _LIBC.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGINT))
        if os.getppid() != owner:  # it died before the line above
            os._exit(1)

    def reaches(self, program: Path, folder: Path) -> bool:
        """Whether this identity can run *program* from *folder*. Found out by doing it."""
        try:
            return self.start([program, "--version"], folder, subprocess.DEVNULL).wait() == 0
        except (OSError, subprocess.SubprocessError):
            return False


def choose(program: Path, home: Path) -> Runner | None:
    """Who can run *program* on *home*, or None. May give *home* to the account it chose."""
    if os.geteuid() != 0:
        return Runner()
    owner = home.stat()
    if owner.st_uid != 0:
        runner = Runner(account=(owner.st_uid, owner.st_gid))
        return runner if runner.reaches(program, home) else None
    runner = Runner(namespace=True)
    if sys.platform == "linux" and runner.reaches(program, home):
        return runner
    for uid, gid in _known_accounts():
        runner = Runner(account=(uid, gid))
        if runner.reaches(program, home.parent):
            _give(home, uid, gid)
            return runner
    return None


def open_private(path: Path, flags: int) -> int:
    """Only the home's owner reads it, whoever of root and owner came first. Follows no link set by either."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def make_private_folder(folder: Path, uid: int, gid: int) -> None:
    """Raises FileExistsError: someone was here before."""
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, uid, gid)


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, for a reader that comes in between and for the next start."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with open(open_private(unfinished, os.O_WRONLY | os.O_EXCL), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _known_accounts() -> Iterator[tuple[int, int]]:
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        yield entry.pw_uid, entry.pw_gid


def _give(home: Path, uid: int, gid: int) -> None:
    for folder, _, files in os.walk(home):
        os.lchown(folder, uid, gid)
        for file in files:
            os.lchown(os.path.join(folder, file), uid, gid)


def _enter_namespace() -> None:
    """Stay the same user on disk, under another number and without root's powers. No chown needed."""
    uid, gid = os.geteuid(), os.getegid()
    if _LIBC.unshare(_CLONE_NEWUSER) != 0:  # os.unshare comes with Python 3.12
        raise OSError(ctypes.get_errno(), "no user namespace")
    for name, text in (
        ("setgroups", "deny"),  # or the kernel refuses the gid map
        ("uid_map", f"{_ID_INSIDE} {uid} 1"),
        ("gid_map", f"{_ID_INSIDE} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text)
