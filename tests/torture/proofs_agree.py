"""Two verifiers that were written apart, over random trees, maps, notes and whole proofs.

They make the same roots and paths, take every true proof, and refuse every forged one.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path as Folder
from random import Random
from uuid import UUID

from forged_bundles import flipped, forged_accesses, forged_consistency, forged_event, forged_paths
from made_log import Bundle, MadeLog, Signer
from second_trees import Entry, Path, Tree, key_of, value_of
from torture.harness import Outcome, Torture
from torture.two_verifiers import (
    BROKEN,
    House,
    Listed,
    Lists,
    Second,
    SecondMap,
    Side,
    SideMap,
    SideTree,
    Way,
)

ALL, OF_A_TREE, OF_A_MAP, OF_A_LOG = 100_000, 40, 20, 6
LEAVES_MAX, OWNERS_MAX = 4_000, 400
FAULTS_MAX = 20
CONTROL_SHARE = 0.02  # in a short form too: a single map may have nobody in it

Check = Callable[[Side], bool]
Trees = Mapping[Side, SideTree]


class Agreeing:
    """The two, and what was found when they were asked the same."""

    def __init__(self, seed: str, second: Side) -> None:
        self.random = Random(seed)
        self.sides: tuple[Side, Side] = House(), second
        self.true, self.forged = Counter[str](), 0
        self.faults: list[str] = []

    def made(self, kind: str, make: Callable[[Side], object]) -> None:
        """Both make the same."""
        self.true[kind] += 1
        ours, theirs = (make(side) for side in self.sides)
        if ours != theirs:
            self.faults.append(f"{kind}: the two differ")

    def taken(self, kind: str, check: Check) -> None:
        self._answered(kind, "refuses what is true", check, (True, True))

    def refused(self, kind: str, check: Check) -> None:
        self.forged += 1
        self._answered(kind, "takes what is forged", check, (False, False))

    def alike(self, kind: str, check: Check) -> None:
        """Another size may have the same path: what binds the size is the leaf above. Still they say the same of it."""
        self.forged += 1
        ours, theirs = (check(side) for side in self.sides)
        if ours != theirs:
            self.faults.append(f"{kind}: one takes it, the other not")

    def _answered(self, kind: str, fault: str, check: Check, must: tuple[bool, bool]) -> None:
        if must[0]:
            self.true[kind] += 1
        answers = tuple(check(side) for side in self.sides)
        for name, answer, right in zip(("the first", "the second"), answers, must, strict=True):
            if answer != right:
                self.faults.append(f"{kind}: {name} {fault}")


def of_a_tree(both: Agreeing) -> None:
    random = both.random
    data = [random.randbytes(random.randrange(80)) for _ in range(_some(random, 1, LEAVES_MAX))]
    hashed = [both.sides[0].leaf(one) for one in data]
    both.made("leaf", lambda side: [side.leaf(one) for one in data[:3]])
    made, trees = Tree(hashed), {side: side.tree(hashed) for side in both.sides}
    for _ in range(OF_A_TREE):
        size = random.choice((len(data), random.randint(1, len(data))))
        _of_a_leaf(both, made, trees, random.randrange(size), size)
        _of_growth(both, made, trees, random.randint(0, size), size)


def _of_a_leaf(both: Agreeing, made: Tree, trees: Trees, at: int, size: int) -> None:
    random, root, leaf, path = both.random, made.root(size), made.leaves[at], made.inclusion(at, size)
    both.made("root", lambda side: trees[side].root(size))
    both.made("inclusion", lambda side: trees[side].inclusion(at, size))

    def claim(leaf: bytes, at: int, size: int, path: Path, root: bytes) -> Check:
        return lambda side: side.included(leaf, at, size, path, root)

    both.taken("inclusion", claim(leaf, at, size, path, root))
    both.refused("changed leaf", claim(flipped(random, leaf), at, size, path, root))
    both.refused("other root", claim(leaf, at, size, path, flipped(random, root)))
    both.refused("index behind the end", claim(leaf, size, size, path, root))
    if (other := random.randrange(size)) != at:
        both.refused("other index", claim(leaf, other, size, path, root))
    other = random.choice((0, at, size + 1, 2 * size, random.randint(1, 2 * size)))
    both.alike("other size", claim(leaf, at, other, path, root))
    for name, forged in forged_paths(random, path):
        both.refused(name, claim(leaf, at, size, forged, root))


def _of_growth(both: Agreeing, made: Tree, trees: Trees, m: int, n: int) -> None:
    random, old, new, path = both.random, made.root(m), made.root(n), made.consistency(m, n)
    both.made("consistency", lambda side: trees[side].consistency(m, n))

    def claim(m: int, n: int, old: bytes, new: bytes, path: Path) -> Check:
        return lambda side: side.grown((m, n), old, new, path)

    both.taken("consistency", claim(m, n, old, new, path))
    both.refused("other older root", claim(m, n, flipped(random, old), new, path))
    if m:
        both.refused("other later root", claim(m, n, old, flipped(random, new), path))
    if m < n:
        both.refused("shrunk", claim(n, m, new, old, path))
    both.alike("other sizes", claim(random.randint(0, n), random.randint(0, 2 * n), old, new, path))
    for name, forged in forged_paths(random, path):
        both.refused(name, claim(m, n, old, new, forged))


def of_a_map(both: Agreeing) -> None:
    random = both.random
    owners = [UUID(int=random.getrandbits(128)) for _ in range(_some(random, 0, OWNERS_MAX))]
    lists = {owner: (random.randint(1, 2**40), random.randbytes(32)) for owner in owners}
    made, maps = SecondMap(lists), {side: side.map(lists) for side in both.sides}
    both.made("root of a map", lambda side: maps[side].root())
    for _ in range(OF_A_MAP):
        known = owners and random.random() < 0.6
        she = random.choice(owners) if known else UUID(int=random.getrandbits(128))
        both.made("way", partial(_way, maps, she))
        _of_an_owner(both, lists, made, she)


def _way(maps: Mapping[Side, SideMap], owner: UUID, side: Side) -> Way:
    return maps[side].way(owner)


def _of_an_owner(both: Agreeing, lists: Lists, made: SideMap, she: UUID) -> None:
    random, root, way, listed = both.random, made.root(), made.way(she), lists.get(she)
    path, other = way

    def claim(listed: Listed | None, path: Path, other: Entry | None, root: bytes = root) -> Check:
        return lambda side: side.mapped(she, listed, (path, other), root)

    both.taken("place in the map", claim(listed, *way))
    both.refused("other root", claim(listed, *way, flipped(random, root)))
    both.refused("path longer than a key", claim(listed, (path or [root]) * 257, other))
    for name, forged in forged_paths(random, path):
        both.refused(f"{name} of a map", claim(listed, forged, other))
    if listed is None:
        both.refused("claimed present", claim((1, random.randbytes(32)), path, None))
        if other is not None:
            both.refused("nobody in another's place", claim(None, path, None))
    else:
        number, hers = listed
        both.refused("other count", claim((number + 1, hers), *way))
        both.refused("other list", claim((number, flipped(random, hers)), *way))
        both.refused("claimed absent", claim(None, *way))
        both.refused("her entry as another's", claim(None, path, (key_of(she.bytes), value_of(*listed))))
    for stranger in set(random.sample(list(lists), min(2, len(lists)))) - {she}:
        theirs, _ = made.way(stranger)
        entry = key_of(stranger.bytes), value_of(*lists[stranger])
        both.refused("entry of another owner", claim(lists[stranger], theirs, None))
        if entry != other:
            both.refused("absent behind another", claim(None, theirs, entry))


def of_notes(both: Agreeing) -> None:
    random = both.random
    log, stranger = (Signer(f"log.example/{random.randrange(3)}", random.randbytes(32)) for _ in range(2))
    size, root = random.randint(1, 2 ** random.randint(1, 59)), random.randbytes(32)
    note = log.checkpoint(size, root)
    text, _, signature = note.partition("\n\n")
    body = f"{text}\n"

    def claim(note: str) -> Check:
        return lambda side: side.signed(note, log.text()) == (size, root)

    both.taken("note", claim(note))
    both.taken("note of several", claim(note + stranger.line(body)))
    forged = {
        "other size": log.checkpoint(size + 1, root).partition("\n\n")[0] + f"\n\n{signature}",
        "other root": log.checkpoint(size, flipped(random, root)).partition("\n\n")[0] + f"\n\n{signature}",
        "other signer": stranger.checkpoint(size, root),
        "no signature": f"{body}\n",
        "signature of something else": f"{body}\n{log.line(body + 'x')}",
        "one of two signatures false": note + log.line(body + "x"),
        "a line more": f"{body}more\n\n{signature}",
        "no empty line": note.replace("\n\n", "\n"),
    }
    for name, each in forged.items():
        both.refused(f"note: {name}", claim(each))


def of_a_log(both: Agreeing) -> None:
    """Whole proofs, as they stand in a file."""
    random = both.random
    log = MadeLog(random, random.randint(1, 9), Signer("log.example/whole", random.randbytes(32)))
    owners = [log.an_owner() for _ in range(random.randint(3, 12))]
    for _ in range(random.randint(1, 4)):
        for _ in range(random.randint(1, 15)):
            log.append(
                random.choice(owners[1:]), access=random.random() < 0.7, sections=random.choice((1, 2))
            )
        log.sign()
    key = log.signer.text()

    def shown(kind: str, bundle: Bundle) -> None:
        both.taken(kind, lambda side: side.proven(bundle, key))

    def hidden(kind: str, bundle: Bundle) -> None:
        both.refused(kind, lambda side: side.proven(bundle, key))

    for _ in range(OF_A_LOG):
        part = random.choice([part for part, events in enumerate(log.events) if events])
        event = log.event_bundle(part, random.randint(1, len(log.events[part])))
        accesses = log.accesses_bundle(random.sample(owners, random.randint(1, 2)))
        number = random.randint(1, len(log.heads))
        consistency = log.consistency_bundle(random.randint(1, number), number)
        shown("event", event)
        shown("accesses", accesses)
        shown("consistency of logs", consistency)
        for kind, bundle in (
            *forged_event(random, event),
            *forged_accesses(random, log, accesses, random.sample(owners, 2)),
            *forged_consistency(random, consistency),
        ):
            hidden(f"whole proof, {kind}", bundle)


def _some(random: Random, least: int, most: int) -> int:
    """Small ones as often as large ones, and often the smallest."""
    return least if random.random() < 0.05 else round(most ** random.random())


def run(second: Callable[[], Side], folder: Folder, share: float) -> Outcome:
    seed = os.environ.get("TSUZURI_SEED") or str(int.from_bytes(os.urandom(4)))
    both = Agreeing(seed, second())
    while both.true.total() < ALL * share and len(both.faults) < FAULTS_MAX:
        for each in (of_a_tree, of_a_map, of_notes, of_a_log):
            each(both)
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(both.true.items()))
    return Outcome(
        f"{both.true.total():,} roots and proofs (seed {seed}): {kinds}; {both.forged:,} forged ones",
        both.faults,
    )


def control(second: Callable[[], Side]) -> Callable[[Folder, float], Outcome]:
    return lambda folder, _: run(second, folder, CONTROL_SHARE)


TORTURE = Torture(
    "proofs that two verifiers check",
    partial(run, Second),
    {name: control(broken) for name, broken in BROKEN.items()},
)
