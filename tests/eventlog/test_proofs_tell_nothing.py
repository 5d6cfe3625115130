"""Two worlds that differ only in what is kept from a patient give her the same proof, but for what is random in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from checkpoint_examples import KEY, a_watcher_told, an_access, maker_at, proven, store
from log_examples import PARTS, an_owner, copied_database, listed, trail_read
from tsuzuri.domain.events import Event
from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.eventlog.proofs.bundles import AccessesProven, verify

SHE, ANOTHER, NOBODY = an_owner(1), an_owner(1 + PARTS), an_owner(1 + 2 * PARTS)
"""All in one part: what is recorded of one moves the places of the others."""
RANDOM = {"eventId", "recordedAt", "keyId", "at", "checkpoint"}


@pytest.fixture
def other_world(server_dsn: str, template: str) -> Iterator[str]:
    with copied_database(server_dsn, template, "other_world") as copy:
        yield copy


def lived(dsn: str, folder: Path, *, kept_from_her: bool) -> None:
    """Three looks at her record; in one world others saw, and were told of, what she does not see."""
    seen = (
        {RecordClass.CONDITION: 2, RecordClass.INFECTION: 1} if kept_from_her else {RecordClass.CONDITION: 2}
    )
    shown: dict[str, Any] = {"shown_by_class": seen, "entries_shown": sum(seen.values())}
    hidden: list[Event] = [listed(SHE), listed(SHE, 2), a_watcher_told(SHE), a_watcher_told(SHE)]
    maker = maker_at(dsn, folder)
    for turn in range(3):
        store(dsn, an_access(SHE, **shown), an_access(ANOTHER), trail_read(an_owner(1 + 3 * PARTS)))
        if kept_from_her and turn != 1:
            store(dsn, *hidden[turn : turn + 2])
        maker.make()


def shape(proof: Any, name: str = "") -> Any:
    """All that can be told apart without a key: numbers, lengths and order; of what is random, its length."""
    if isinstance(proof, dict):
        return {key: shape(value, key) for key, value in proof.items()}
    if isinstance(proof, list):
        return [shape(one, name) for one in proof]
    if name == "checkpoint":
        return proof.splitlines()[:2], [len(line) for line in proof.splitlines()]
    return len(proof) if isinstance(proof, str) and name not in ("owner", "proves") else proof


@pytest.mark.parametrize("who", [SHE, ANOTHER, NOBODY], ids=["hers", "another's", "nobody's"])
def test_what_is_kept_from_her_leaves_no_trace(dsn: str, other_world: str, tmp_path: Path, who: UUID) -> None:
    proofs = []
    for world, kept_from_her in ((dsn, False), (other_world, True)):
        lived(world, tmp_path / str(kept_from_her), kept_from_her=kept_from_her)
        proofs.append(proven(world, "accesses", [who]))

    one, other = proofs
    assert shape(one) == shape(other)
    for proof in proofs:
        holds = verify(proof, KEY.public)
        assert isinstance(holds, AccessesProven)
        assert len(holds.accesses) == (0 if who == NOBODY else 3)


def test_the_auditors_proof_does_tell(dsn: str, other_world: str, tmp_path: Path) -> None:
    """The comparison sees: a proof by place tells how much was recorded, and so it is for auditors only."""
    lived(dsn, tmp_path / "one", kept_from_her=False)
    lived(other_world, tmp_path / "other", kept_from_her=True)

    last = [proven(world, "event", 1, 6) for world in (dsn, other_world)]

    assert shape(last[0]) != shape(last[1])
