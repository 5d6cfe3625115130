"""The audits of npm graphql-http: whether a server keeps to GraphQL over HTTP in all that it must, should and may.

ok: it does. notice, warn, error: it does not, where it may, should, must.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from npm_packages import installed

AUDITS = 61
_SECONDS_MAX = 120


@dataclass(frozen=True)
class Audit:
    """What became of one; *reason*: why it is not ok."""

    id: str
    name: str
    status: str
    reason: str | None


def audited(url: str, bearer: str) -> list[Audit]:
    """All audits of the server at *url*, asked with this token. Raises NpmAbsent."""
    ran = subprocess.run(
        ["node", "audit.mjs", url],
        cwd=installed(Path(__file__).parent),
        env={"PATH": os.environ["PATH"], "BEARER": bearer},
        capture_output=True,
        text=True,
        timeout=_SECONDS_MAX,
        check=True,
    )
    return [Audit(**one) for one in json.loads(ran.stdout)]


def counted(audits: list[Audit]) -> str:
    """How many are ok, and how many are not, in words."""
    statuses = [audit.status for audit in audits]
    return ", ".join(f"{statuses.count(status)} {status}" for status in ("ok", "warn", "notice", "error"))
