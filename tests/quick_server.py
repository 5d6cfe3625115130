"""A server for many short-lived databases: in memory, and with logins that cost little.

A database is four hundred files. ext4 does not give out an inode again for seconds after its file was removed, and
looks for another among all of those: hundreds of databases made and dropped would mean to wait for that alone.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Literal

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 * 1024**3  # a container often has 64 MB there
_PREFIX = "tsuzuri-tests-"


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder of one's own, in memory where there is room for it, removed at the end."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    if roomy:
        _remove_what_was_left()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY if roomy else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_what_was_left() -> None:
    """By processes that were killed: it would take memory until the machine is started again."""
    for folder in _MEMORY.glob(f"{_PREFIX}*"):
        process = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", process).exists():
            shutil.rmtree(folder, ignore_errors=True)


def hash_passwords_quickly(dsn: str) -> None:
    """The passwords of this server guard nothing, and each test logs in a dozen times. As its superuser."""
    told = conninfo_to_dict(dsn)
    with Connection.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET scram_iterations = 1")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SET scram_iterations = 1")  # a reload takes a moment
        user, password = str(told["user"]).encode(), str(told["password"]).encode()
        secret = connection.pgconn.encrypt_password(password, user, b"scram-sha-256").decode()
        connection.execute(SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(Literal(secret)))
