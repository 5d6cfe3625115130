"""Our checkpoints and the proofs of their heads are read by another's verifier of C2SP transparency logs: aics-tlog."""

import base64
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from checkpoint_examples import KEY, maker_at, proven, some_accesses
from tsuzuri.eventlog.proofs.notes import SigningKey

TLOG = Path(os.environ.get("TSUZURI_TEST_TLOG", Path(sys.prefix) / "tlog"))
WITNESS = SigningKey.made("witness.example/one", witness=True)
SCRIPT = """
import base64, json, sys
import aics_tlog as a
given = json.load(sys.stdin)
hashes = lambda texts: [base64.b64decode(one) for one in texts]
key, other = a.parse_vkey(given["key"]), a.parse_vkey(given["witness"])
read = [a.verify_checkpoint(a.parse_note(one), key, expected_origin=given["origin"]) for one in given["notes"]]
countersigned = a.verify_checkpoint(a.parse_note(given["countersigned"]), key, [other], quorum=1)
changed = a.verify_checkpoint(a.parse_note(given["changed"]), key)
first, second = [a.parse_checkpoint(a.parse_note(one).text) for one in given["notes"]]
print(json.dumps({
    "notes": [one.ok for one in read],
    "countersigned": countersigned.ok,
    "changed": changed.ok,
    "sizes": [first.size, second.size],
    "consistent": a.verify_consistency(first.size, second.size, first.root, second.root, hashes(given["path"])),
    "forged": a.verify_consistency(first.size, second.size, second.root, first.root, hashes(given["path"])),
    "head": a.verify_inclusion(
        base64.b64decode(given["head"]), second.size - 1, second.size, hashes(given["headPath"]), second.root),
}))
"""

pytestmark = pytest.mark.skipif(not TLOG.exists(), reason="aics-tlog is not at hand: make test brings it")


def read_by_it(**given: Any) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(given),
        env={**os.environ, "PYTHONPATH": str(TLOG)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_reads_our_checkpoints(dsn: str, tmp_path: Path) -> None:
    maker = maker_at(dsn, tmp_path)
    for _ in range(7):
        some_accesses(dsn, 5)
        maker.make()
    proof = proven(dsn, "consistency", 3, 7)
    notes = [proof[name]["checkpoint"] for name in ("from", "to")]
    body = notes[1].partition("\n\n")[0] + "\n"
    head = proof["to"]["head"]

    told = read_by_it(
        origin=KEY.public.name,
        key=KEY.public.text(),
        witness=WITNESS.public.text(),
        notes=notes,
        countersigned=notes[1] + WITNESS.signature(body, 1_800_000_000),
        changed=notes[1].replace("\n7\n", "\n8\n"),
        path=proof["path"],
        head=_leaf(head),
        headPath=head["path"],
    )

    assert told == {
        "notes": [True, True],
        "countersigned": True,
        "changed": False,
        "sizes": [3, 7],
        "consistent": True,
        "forged": False,
        "head": True,
    }


def _leaf(head: dict[str, str]) -> str:
    """As docs/PROOFS.md has it."""
    text = f"tsuzuri head\n{head['at']}\n{head['events']}\n{head['accesses']}\n"
    return base64.b64encode(sha256(b"\x00" + text.encode()).digest()).decode()
