"""What counts as plainly of FHIR's shape is what R4B would let pass too; of what is usually sent, most is plain."""

import copy
import json
import subprocess
import sys
from collections import Counter
from random import Random
from typing import Any

import pytest

from rule_bundles import collection, referral
from rule_resources import Json, condition, observation, of, patient, prescription
from torture.hostile import places
from torture.hostile_values import ATTACKED_PATTERNS, DATES, TEXTS, ZONES
from tsuzuri.app.sample.generate import sample_bundles
from tsuzuri.domain.fhir import r4b
from tsuzuri.domain.fhir.plain_shape import is_plain
from tsuzuri.domain.fhir.rejection import BundleRejected

SEED = 20261123
GOOD = [collection(condition()), collection(observation()), collection(prescription()), referral()]
VALUES: list[Any] = [
    *TEXTS, *DATES, *ATTACKED_PATTERNS, *(f"2026-01-01T00:00:00{zone}" for zone in ZONES), "2026-04-31",
    "2026-12-31", "2024-02-29", "2026-11-30T23:59:59.123456Z", "1000", "a b", "a  b", " a", "\x1c", "あ い", 0, 1, -1,
    2**31, 2**31 - 1, -(2**31), 2**63, 1.5, 1e-7, True, False, None, [], {}, [{}], [None], [""], [[]],
]  # fmt: skip


def sent(tree: Json) -> bytes:
    return json.dumps(tree).encode()


def passes(tree: Json) -> bool:
    try:
        r4b.check(tree)
    except BundleRejected:
        return False
    return True


def damaged(rng: Random) -> Json:
    """A good Bundle with another value, a copy from elsewhere, or nothing, at one place or two."""
    tree = copy.deepcopy(rng.choice(GOOD))
    found = list(places(tree))
    for _ in range(rng.choice((1, 1, 2))):
        (node, key), (other, there) = rng.sample(found, 2)
        if isinstance(node, dict) and key in node and rng.random() < 0.1:
            del node[key]
        elif isinstance(node, dict) or key < len(node):
            copied = other.get(there) if isinstance(other, dict) else None
            node[key] = copy.deepcopy(copied) if rng.random() < 0.1 else rng.choice(VALUES)
    return tree


def test_nothing_is_plain_that_r4b_would_refuse() -> None:
    rng, counts = Random(SEED), Counter[tuple[bool, bool]]()

    for _ in range(3000):
        tree = damaged(rng)
        try:
            told = is_plain(sent(tree)), passes(tree)
        except ValueError:  # it holds itself now
            continue
        counts[told] += 1
        assert told != (True, False), sent(tree)

    assert counts[True, True] > 300 < counts[False, False], (
        "the damage is neither all harmless nor all deadly"
    )


@pytest.mark.parametrize(
    "odd",
    [
        of(condition(), onsetString="昨年"),  # two types of one value
        of(condition(), subject=None),
        of(patient(), unheardOf=1),
        of(condition(), resourceType="Claim"),
        of(patient(), birthDate="2026-02-30"),
        of(observation(), valueInteger=2**40),
    ],
    ids=["two onsets", "no subject", "unknown name", "rare type", "no such day", "large number"],
)
def test_what_is_odd_is_left_to_r4b(odd: Json) -> None:
    assert not is_plain(sent(collection(odd)))


def test_the_sample_is_plain_but_for_files() -> None:
    bodies = [bundle.body for bundle in sample_bundles(4, seed=1)]

    assert all(is_plain(body) or b'"data"' in body for body in bodies)
    assert sum(map(is_plain, bodies)) > 10


def test_many_threads_may_ask_first() -> None:
    asking = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from tsuzuri.domain.fhir.plain_shape import is_plain\n"
        "with ThreadPoolExecutor(8) as threads: print(*set(threads.map(is_plain, [b'{}'] * 64)))"
    )

    done = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, "False\n")
