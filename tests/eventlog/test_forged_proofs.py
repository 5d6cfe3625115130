"""Whoever can write everything but the signing key gets no false proof past the check, and no error but ProofFails."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

import pytest
import zstandard

from forged_bundles import at_of, changed, forged_accesses, forged_consistency, forged_event
from made_log import Bundle, MadeLog, Signer, b64
from tsuzuri.eventlog.proofs.bundles import (
    AccessesProven,
    ConsistencyProven,
    EventProven,
    Proven,
    verify,
)
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import PublicKey, checked
from tsuzuri.eventlog.proofs.whole_log import verify_log

SIGNER = Signer("log.example/forged", b"\x05" * 32)
KEY = PublicKey.of(SIGNER.text())
WITNESS = Signer("log.example/forged", b"\x05" * 32, 4)
ANOTHERS = Signer("log.example/forged", b"\x06" * 32)
PARTS = 5
ODD: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        -0.0,
        1.0,
        1,
        5,
        2**15,
        2**16,
        2**63,
        2**64,
        10**400,
        float("nan"),
        float("inf"),
    ),
    *("", " ", "\n", "1", "\ud800", "\u0661", "=", "AA==", "AB==", "A" * 43 + "=", "0" * 32, "\u0660" * 32),
    *(
        "2026-11-23",
        "0001-01-01T00:00:00.000000+14:00",
        "9999-12-31T23:59:59.999999-14:00",
        "2026-W48-1T00:00:00Z",
    ),
    *("access-permitted", "proof/1", "log", [], [[]], [None], [{}], {}, {"key": None}),
]
"""What may stand in a field in the place of what belongs there."""


def a_log() -> tuple[MadeLog, list[UUID]]:
    log = MadeLog(Random(8), PARTS, SIGNER)
    owners = [log.an_owner() for _ in range(9)]
    for number in range(60):
        log.append(owners[number % 7], access=number % 4 > 0, sections=1 + number % 2)
        if number % 20 == 19:
            log.sign()
    return log, owners


LOG, OWNERS = a_log()
EVENT = LOG.event_bundle(OWNERS[0].int % PARTS, 3)
ACCESSES = LOG.accesses_bundle([OWNERS[0], OWNERS[8]])
CONSISTENCY = LOG.consistency_bundle(1, 3)
TRUE = pytest.mark.parametrize(
    "bundle", [EVENT, ACCESSES, CONSISTENCY], ids=["event", "accesses", "consistency"]
)


def the_only_event(**appended: Any) -> Bundle:
    log = MadeLog(Random(3), 1, SIGNER)
    log.append(log.an_owner(), **appended)
    log.sign()
    return log.event_bundle(0, 1)


@TRUE
def test_what_is_true_is_taken(bundle: Bundle) -> None:
    assert verify(bundle, KEY)


@pytest.mark.parametrize("seed", range(12))
def test_a_single_change_is_noticed(seed: int) -> None:
    random = Random(seed)
    part = OWNERS[seed % 7].int % PARTS
    event = LOG.event_bundle(part, random.randint(1, len(LOG.events[part])))
    accesses = LOG.accesses_bundle(random.sample(OWNERS, 2))

    for name, bundle in (
        *forged_event(random, event),
        *forged_accesses(random, LOG, accesses, OWNERS),
        *forged_consistency(random, LOG.consistency_bundle(1 + seed % 3, 3)),
    ):
        try:
            verify(bundle, KEY)
        except ProofFails:
            continue
        pytest.fail(f"{name} was taken")


@TRUE
def test_whatever_stands_in_a_field_shows_the_truth_or_nothing(bundle: Bundle) -> None:
    truth = shown(verify(bundle, KEY))

    for place in places(bundle):
        for odd in ODD:
            try:
                holds = verify(changed(bundle, place, odd), KEY)
            except ProofFails:
                continue
            assert shown(holds) == truth, (place, odd)


@TRUE
def test_a_field_that_is_missing_is_missed(bundle: Bundle) -> None:
    truth = shown(verify(bundle, KEY))

    for place in (place for place in places(bundle) if isinstance(place[-1], str)):
        less = copy.deepcopy(bundle)
        del at_of(less, place[:-1])[place[-1]]
        try:
            assert shown(verify(less, KEY)) == truth, place
        except ProofFails:
            continue


def shown(holds: Proven) -> object:
    """What is claimed, without the contents, which need not be disclosed."""
    match holds:
        case EventProven():
            return replace(holds, told=None, audit=None)
        case AccessesProven():
            return replace(holds, accesses=tuple([replace(one, told=None) for one in holds.accesses]))
        case ConsistencyProven():
            return holds


def places(value: Any) -> Iterator[list[Any]]:
    """The way to each field and each member, of long lists to the first and the last."""
    if isinstance(value, dict):
        steps = list(value)
    else:
        steps = sorted({0, len(value) - 1}) if isinstance(value, list) and value else []
    for step in steps:
        yield [step]
        yield from ([step, *rest] for rest in places(value[step]))


@pytest.mark.parametrize(
    "bundle", [None, [], "proof/1", 1, {}, {"tsuzuri": "proof/1"}, {"tsuzuri": ["proof/1"]}]
)
def test_what_is_no_proof_at_all_fails(bundle: Any) -> None:
    with pytest.raises(ProofFails):
        verify(bundle, KEY)


def test_nobody_vanishes_behind_another_number_of_parts() -> None:
    """Part and owner are tied by a number that has to be signed with them: else she is sought where she has nothing."""
    log = MadeLog(Random(1), 64, SIGNER)
    owners = [log.an_owner() for _ in range(30)]
    for owner in owners:
        log.append(owner)
    log.sign()

    for owner in owners[:10]:
        true = log.accesses_bundle([owner])
        for parts in (*range(56, 64), 65):
            elsewhere = log.list_in_part(owner, owner.int % parts % 64)
            with pytest.raises(ProofFails):
                verify({**true, "parts": parts, "lists": [elsewhere]}, KEY)


def test_no_list_is_not_a_list_without_accesses() -> None:
    with pytest.raises(ProofFails, match="no list"):
        verify({**ACCESSES, "lists": []}, KEY)


def test_the_same_owner_twice_is_not_twice_the_accesses() -> None:
    (hers, _) = ACCESSES["lists"]
    with pytest.raises(ProofFails, match="twice"):
        verify({**ACCESSES, "lists": [hers, hers]}, KEY)
    for spelling in (hers["owner"].upper(), f"{{{hers['owner']}}}", f"urn:uuid:{hers['owner']}"):
        with pytest.raises(ProofFails, match="UUID"):
            verify({**ACCESSES, "lists": [hers, {**hers, "owner": spelling}]}, KEY)


def test_a_path_longer_than_a_key_leads_nowhere() -> None:
    for length in (255, 256, 257, 10_000):
        with pytest.raises(ProofFails):
            verify(changed(ACCESSES, ["lists", 1, "path"], [b64(bytes(32))] * length), KEY)


def test_no_version_has_one_spelling() -> None:
    none = changed(EVENT, ["event", "version"], None)
    if EVENT["event"]["version"] is not None:
        none = LOG.event_bundle(0, next(one["pos"] for one in LOG.events[0] if one["version"] is None))

    assert shown(verify(changed(none, ["event", "version"], 0), KEY)) == shown(verify(none, KEY))


TOO_LONG = b"\x28\xb5\x2f\xfd\xe0" + (2**40).to_bytes(8, "little") + bytes(32)
UNKNOWN_LENGTH = zstandard.ZstdCompressor(write_content_size=False).compress(b'{"who": "nobody"}')


@pytest.mark.parametrize(
    "plain",
    [
        *(
            b"",
            b"-",
            b"-[]",
            b"-null",
            b"-\xff",
            b'{"who": "nobody"}',
            b'x{"who": "nobody"}',
            b"-" + b"[" * 200_000,
        ),
        *(b"-" + b"9" * 10_000, b"z", b"zz", b"z" + TOO_LONG, b"z" + UNKNOWN_LENGTH),
        b"z" + zstandard.compress(b'{"who": "nobody"}')[:-3],
    ],
    ids=lambda plain: repr(plain[:12]),
)
def test_whatever_was_sealed_is_an_object_or_fails(plain: bytes) -> None:
    """Sealed by who had the keys, and signed unseen."""
    bundle = the_only_event(plain=plain)

    with pytest.raises(ProofFails):
        verify(bundle, KEY)
    assert verify({**bundle, "keys": None}, KEY)


@pytest.mark.parametrize(
    "state", [b"", b"\0", bytes(4) * 3, b"\xff" * 8, bytes(4), bytes(8), b"\0\0\0\x04abc"]
)
def test_a_state_that_is_not_made_of_sections_has_nothing_to_open(state: bytes) -> None:
    bundle = the_only_event(changes={"state": b64(state)})

    assert verify({**bundle, "keys": None}, KEY)
    for keys in (
        {"told": b64(bytes(32))},
        {"told": "AA=="},
        {"told": 1},
        {"told": b64(bytes(32)), "audit": ""},
    ):
        with pytest.raises(ProofFails):
            verify({**bundle, "keys": keys}, KEY)


@pytest.mark.parametrize(
    "changes", [{"stream": 256 + 3}, {"stream": 2**15 - 1}, {"topic": ""}, {"topic": "a" * 10**5}]
)
def test_an_event_that_no_log_has_opens_nothing(changes: dict[str, Any]) -> None:
    bundle = the_only_event(changes=changes)

    with pytest.raises(ProofFails):
        verify(bundle, KEY)


BODY, _, SIGNATURE = EVENT["checkpoint"].partition("\n\n")
NOTES = {
    "no signature": f"{BODY}\n\n",
    "no empty line": f"{BODY}\n{SIGNATURE}",
    "no newline at the end": EVENT["checkpoint"][:-1],
    "lines of another system": EVENT["checkpoint"].replace("\n", "\r\n"),
    "a line of signature that is none": f"{EVENT['checkpoint']}x\n",
    "an empty line more": f"{BODY}\n\n\n{SIGNATURE}",
    "another dash": EVENT["checkpoint"].replace("\u2014", "-"),
    "space in the name": EVENT["checkpoint"].replace("\u2014 log", "\u2014  log"),
    "another's key": ANOTHERS.note(f"{BODY}\n"),
    "another's signature under the name": f"{BODY}\n\n{ANOTHERS.line(f'{BODY}x')}",
    "one true and one false": EVENT["checkpoint"] + SIGNER.line(f"{BODY}x\n"),
    "two false": f"{BODY}\n\n" + SIGNER.line(f"{BODY}x\n") * 2,
    "the true one with a byte more": f"{BODY}\n\n{SIGNATURE[:-1]}AA==\n",
    "a countersignature in its place": WITNESS.note(f"{BODY}\n"),
    "another origin": SIGNER.note("log.example/another" + BODY[len("log.example/forged") :] + "\n"),
    "origin and more": SIGNER.note("log.example/forged " + BODY[len("log.example/forged") :] + "\n"),
    "half a character": f"{BODY}\ud800\n\n{SIGNATURE}",
    "an empty line inside": SIGNER.note(f"{BODY}\n\nmore\n"),
    **{
        f"size {size[:8]!r}": SIGNER.note(f"log.example/forged\n{size}\n{b64(bytes(32))}\n")
        for size in (
            "",
            "0",
            "-1",
            "+3",
            "03",
            "3.0",
            " 3",
            "3e0",
            "\u0663",
            "\u00b3",
            "9" * 18,
            "9" * 5_000,
            "1_0",
        )
    },
    **{
        f"root {root[:8]!r}": SIGNER.note(f"log.example/forged\n3\n{root}\n")
        for root in ("", "AA==", "A" * 44, BODY[-44:-1], f"{BODY[-44:]}=", f" {BODY[-44:]}", "\u0663" * 44)
    },
}


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
def test_a_note_that_the_log_did_not_sign_so_fails(note: str) -> None:
    with pytest.raises(ProofFails):
        verify({**EVENT, "checkpoint": note}, KEY)


def test_others_may_sign_as_well() -> None:
    others = ANOTHERS.line(f"{BODY}\n") + WITNESS.line(f"{BODY}\n", 7)

    assert verify({**EVENT, "checkpoint": f"{BODY}\n\n{others}{SIGNATURE}"}, KEY)


def test_what_stands_behind_the_root_was_signed_too() -> None:
    """The format allows further lines. They count for nothing, and nobody adds one."""
    assert verify({**EVENT, "checkpoint": SIGNER.note(f"{BODY}\nmore\n")}, KEY)
    with pytest.raises(ProofFails):
        verify({**EVENT, "checkpoint": f"{BODY}\nmore\n\n{SIGNATURE}"}, KEY)


def test_the_key_of_a_witness_is_not_the_log_s() -> None:
    with pytest.raises(ProofFails, match="witness"):
        checked(WITNESS.note(f"{BODY}\n"), PublicKey.of(WITNESS.text()))


@pytest.mark.parametrize(
    "name", ["", "two words", "two\nlines", "two\u3000words", "tab\there", "\ud800", "zero\u200b"]
)
def test_a_key_has_a_name_that_fits_on_its_line(name: str) -> None:
    with pytest.raises(ProofFails):
        PublicKey.of(f"{name}+{'0' * 8}+{b64(bytes([1]) + bytes(32))}")


@pytest.mark.parametrize("text", ["", "+", "++", "a+b", "a+b+c", "a+00000000+AA==", "a+00000000+\ud800"])
def test_what_is_no_key_fails(text: str) -> None:
    with pytest.raises(ProofFails):
        PublicKey.of(text)


@pytest.mark.parametrize(
    "line", ["[" * 100_000, "[]", "null", '"', "[" + "9" * 5_000 + "]"], ids=lambda line: line[:8]
)
def test_a_whole_log_of_something_else_fails(line: str) -> None:
    with pytest.raises(ProofFails):
        verify_log([line], KEY)
