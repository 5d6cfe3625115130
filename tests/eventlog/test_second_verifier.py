"""What a second verifier, written from docs/PROOFS.md alone, makes of the same bytes.

At length: tests/torture/proofs_agree.py.
"""

import asyncio
import json
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import AsyncConnection

import second_verifier
from checkpoint_examples import KEY, maker_at, some_accesses, some_events
from log_examples import logins
from made_log import MadeLog, Signer
from second_fields import Fields, Refused
from second_notes import Key, cosigned_at
from torture.two_verifiers import House, Second, Side
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.proofs.bundles import AccessesProven, EventProven, stored_event, verify
from tsuzuri.eventlog.proofs.fields import Fields as FirstFields
from tsuzuri.eventlog.proofs.notes import Note, PublicKey, SigningKey
from tsuzuri.eventlog.proving import Prover

SIDES = pytest.mark.parametrize("side", [House(), Second()], ids=["first", "second"])
KNOWN = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
SIGNER = Signer("log.example/made", b"\x05" * 32)
hashes = st.binary(min_size=32, max_size=32)


def a_made_log(parts: int = 4) -> tuple[MadeLog, list[UUID]]:
    """Three heads over some events of five owners; a sixth had none."""
    log = MadeLog(Random(8), parts, SIGNER)
    owners = [log.an_owner() for _ in range(6)]
    for number in range(36):
        log.append(owners[number % 5], access=number % 4 > 0, sections=1 + number % 2)
        if number % 12 == 11:
            log.sign()
    return log, owners


@SIDES
def test_the_root_that_everybody_knows(side: Side) -> None:
    """The eight leaves that implementations of certificate transparency are tried on."""
    leaves = [side.leaf(bytes.fromhex(one)) for one in KNOWN]

    assert side.tree(leaves).root(8).hex() == KNOWN_ROOT


@given(leaves=st.lists(hashes, min_size=1, max_size=600, unique=True), data=st.data())
def test_trees_agree(leaves: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(leaves)))
    at, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    one, other = (side.tree(leaves) for side in (House(), Second()))

    assert one.root(size) == other.root(size)
    assert one.inclusion(at, size) == other.inclusion(at, size)
    assert one.consistency(first, size) == other.consistency(first, size)


@given(
    lists=st.dictionaries(st.uuids(), st.tuples(st.integers(1, 2**40), hashes), max_size=60), she=st.uuids()
)
def test_maps_agree(lists: dict[UUID, tuple[int, bytes]], she: UUID) -> None:
    one, other = House().map(lists), Second().map(lists)
    assert one.root() == other.root()

    for owner in [she, *list(lists)[:3]]:
        assert (way := one.way(owner)) == other.way(owner)
        assert all(side.mapped(owner, lists.get(owner), way, one.root()) for side in (House(), Second()))


def test_leaves_of_events_and_accesses_agree() -> None:
    log, _ = a_made_log()

    for event in (one for events in log.events for one in events):
        stored = stored_event(FirstFields(event))
        assert stored.hash() == second_verifier.event_leaf(Fields(event))
        listed = Fields(log.access_of(event))
        assert stored.listed().hash() == second_verifier.access_leaf(stored.owner, listed)


def test_whole_proofs_are_taken_by_both() -> None:
    log, owners = a_made_log()
    key = PublicKey.of(SIGNER.text())
    bundles = [
        *(log.event_bundle(part, pos + 1) for part in range(4) for pos in range(len(log.events[part]))),
        *(log.accesses_bundle([owner]) for owner in owners),
        log.accesses_bundle(owners, 2),
        *(log.consistency_bundle(first, second) for second in (1, 2, 3) for first in range(1, second + 1)),
    ]

    for bundle in bundles:
        holds, words = verify(bundle, key), second_verifier.verify(bundle, SIGNER.text())
        opened = [json.loads(line) for line in words.splitlines()[1:]]
        match holds:
            case EventProven():
                assert opened == [one for one in (holds.told, holds.audit) if one is not None]
            case AccessesProven():
                told = [one.told for one in holds.accesses if one.told is not None]
                assert sorted(opened, key=_text) == sorted(told, key=_text)


def _text(opened: object) -> str:
    return json.dumps(opened, sort_keys=True)


def test_proofs_of_a_real_log_are_taken_by_the_second(dsn: str, tmp_path: Path) -> None:
    patients = [uuid4() for _ in range(40)]
    maker = maker_at(dsn, tmp_path)
    some_events(dsn, 9)
    some_accesses(dsn, 60, patients)
    maker.make()
    some_accesses(dsn, 30, patients[:2])
    maker.make()

    async def made() -> list[dict[str, object]]:
        async with await AsyncConnection.connect(logins(dsn).of(LogRole.READER)) as connection:
            prover = Prover(connection)
            part = patients[0].int % len((await prover.newest()).parts)
            accesses = [await prover.accesses([patient]) for patient in (*patients, uuid4())]
            return [await prover.event(part, 1), *accesses, await prover.consistency(1, 2)]

    for bundle in asyncio.run(made()):
        assert second_verifier.verify(json.loads(json.dumps(bundle)), KEY.public.text())


def test_keys_and_countersignatures_agree() -> None:
    witness = SigningKey("witness.example", 4, b"\x09" * 32)
    log, _ = a_made_log()
    note = log.event_bundle(0, 1)["checkpoint"]
    text, _, _ = note.partition("\n\n")
    both = note + witness.signature(f"{text}\n", at_seconds=1_795_392_000)

    assert Note.of(both).signed_by(witness.public)
    assert cosigned_at(both, Key.read(witness.public.text())) == 1_795_392_000
    assert Signer("witness.example", b"\x09" * 32, 4).text() == witness.public.text()
    assert both == note + Signer("witness.example", b"\x09" * 32, 4).line(f"{text}\n", 1_795_392_000)
    with pytest.raises(Refused):
        cosigned_at(both.replace("witness.example", "another.example"), Key.read(witness.public.text()))
