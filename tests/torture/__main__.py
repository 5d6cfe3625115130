"""Runs the tortures at full size, one line each: `python tests/torture [name …]`.

ISSUE=3 chooses those of the log, ISSUE=4 those of the projections, ISSUE=5 those of what facilities send, ISSUE=6 those
of who may see what, ISSUE=7 those of the API, ISSUE=8 those of the audit. Exit code 1 when one found a fault, or a
control did not.
"""

import logging
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from torture.harness import Torture, torment  # noqa: E402

LOG = (
    "killed_writers",
    "stopped_server",
    "followers",
    "lost_replies",
    "histories",
    "full_disk",
    "guard_races",
    "forbidden_statements",
    "canaries",
)
PROJECTIONS = ("failpoints", "poison", "planted_bug", "projection_histories")
DOCUMENTS = ("permutations", "hostile_bundles", "summaries")
ACCESSES = ("access_histories", "emergency_lives", "revocations", "withheld", "non_interference")
CALLERS = (
    "proof_replays",
    "real_issuer",
)  # their short forms: tests/app/test_proofs_seen.py, test_real_issuer.py
TIMES = ("non_interference_times",)  # no short form: a machine that does other things besides tells nothing
WATCHES = ("subscribers", "watchers")
API = ("hostile_bodies", "schema_drawn", "slow_connections", "one_abuser", "swapped_ids")
AUDITS = ("http_audit",)  # its short form is tests/app/test_http_audits.py
EDGE = ("shutdowns",)
PROOFS = ("tampered_logs", "consistent_pairs", "proofs_agree")
REPLAYS = ("replays",)
WITNESSES = ("forked_logs",)
TORTURES = {
    "3": LOG,
    "4": PROJECTIONS,
    "5": DOCUMENTS,
    "6": ACCESSES + TIMES,
    "7": CALLERS + API + AUDITS + EDGE + WATCHES,
    "8": PROOFS + WITNESSES + REPLAYS,
}


def torture(name: str) -> Torture:
    found: Torture = import_module(f"torture.{name}").TORTURE
    return found


def main() -> int:
    chosen = os.environ.get("ISSUE")
    names = sys.argv[1:] or [
        name for issue, names in TORTURES.items() if chosen in (None, "", issue) for name in names
    ]
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it warns of each connection that we cut
    with tempfile.TemporaryDirectory(prefix="tsuzuri-torture-") as scratch:
        good = [
            torment(torture(name), Path(scratch, name), 1.0, lambda line: print(line, flush=True))
            for name in names
        ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
