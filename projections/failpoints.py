"""Named places at which a test kills the process: in front of and behind each step that must be safe to repeat."""

import os
import signal

FAILPOINTS = (
    "lease.before",
    "lease.after",
    "read.before",
    "read.after",
    "merge.before",
    "merge.after",
    "checkpoint.before",
    "checkpoint.after",
    "batch.committed",
    "fill.before",
    "fill.after",
    "index.before",
    "index.after",
    "promote.before",
    "promote.after",
)
_ARMED, _, _PASSES = os.environ.get("TSUZURI_FAILPOINT", "").partition(":")
_left = int(_PASSES or 0)


def failpoint(name: str) -> None:
    """Does nothing, unless TSUZURI_FAILPOINT is "name:n": then the process is killed when it has passed n times."""
    global _left
    if name != _ARMED:
        return
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    _left -= 1
