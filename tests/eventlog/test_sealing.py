"""Given bytes that were sealed, when they are opened, then only as what they were sealed as."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from examples import PATIENT, STRANGER
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.sealed_events import (
    about_event,
    event_key,
    seal_consents,
    seal_event,
    seal_payload,
    split_sections,
    unseal_consents,
    unseal_event,
    unseal_payload,
)
from tsuzuri.eventlog.sealing import SealBroken, Section, derived, packed, seal, unseal

SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
ID, OTHER_ID = UUID("eeeeeeee-0000-4000-8000-000000000001"), UUID("eeeeeeee-0000-4000-8000-000000000002")
TOLD, AUDIT = b'{"person":"dr-hamada"}', b'{"variables":"00012345"}'
ABOUT = about_event(ID, PATIENT, Stream.ACCESS, "access-permitted")
FOR_AUDITORS = event_key(SECRET, Section.APART, ID)
FOR_PATIENTS = event_key(SECRET, Section.STATE, ID)


def an_access() -> bytes:
    """An event of two sections, sealed."""
    return seal_event(SECRET, ID, [TOLD, AUDIT], ABOUT)


# --- what was sealed comes back


@for_all(st.binary(max_size=2_000))
@example(b"")
@example(b"\x00")
@example(b"-")
@example(b"z")
@example("傷病名".encode() * 50_000)
def test_any_bytes_come_back(plain: bytes) -> None:
    assert unseal(SECRET, seal(SECRET, plain, b"about"), b"about") == plain


@for_all(st.binary(max_size=300), st.binary(max_size=300) | st.none())
def test_an_event_comes_back_in_its_sections(state: bytes, apart: bytes | None) -> None:
    sections = [state] if apart is None else [state, apart]

    assert unseal_event(SECRET, ID, seal_event(SECRET, ID, sections, ABOUT), ABOUT) == sections


@for_all(st.binary(max_size=300))
def test_consents_and_payloads_come_back(plain: bytes) -> None:
    assert unseal_consents(SECRET, PATIENT, seal_consents(SECRET, PATIENT, plain)) == plain
    assert unseal_payload(SECRET, ID, seal_payload(SECRET, ID, plain)) == plain


@for_all(st.binary(max_size=2_000))
def test_packing_costs_at_most_the_mark_and_the_seal_28_bytes_more(plain: bytes) -> None:
    assert len(packed(plain)) <= len(plain) + 1
    assert len(seal(SECRET, plain, b"")) == len(packed(plain)) + 12 + 16


def test_what_repeats_itself_takes_little_room() -> None:
    assert len(seal(SECRET, b"a text " * 1_000, b"")) < 100


def test_two_seals_of_the_same_bytes_differ() -> None:
    seals = {seal(SECRET, TOLD, ABOUT) for _ in range(100)}

    assert len(seals) == len({one[:12] for one in seals}) == 100
    assert not any(one[8:] in other for one in seals for other in seals - {one})


def test_a_seal_shows_nothing_of_what_it_holds() -> None:
    assert b"dr-hamada" not in an_access() and b"00012345" not in an_access()


# --- only as what it was sealed as

OPENED: dict[str, Any] = {
    "secret": SECRET,
    "key of": ID,
    "id": ID,
    "owner": PATIENT,
    "stream": Stream.ACCESS,
    "topic": "access-permitted",
}


def open_as(sealed: bytes, **changes: Any) -> list[bytes]:
    how = OPENED | changes
    about = about_event(how["id"], how["owner"], how["stream"], how["topic"])
    return unseal_event(how["secret"], how["key of"], sealed, about)


@pytest.mark.parametrize(
    "other",
    [
        {"secret": OTHER_SECRET},
        {"key of": OTHER_ID},
        {"id": OTHER_ID},
        {"owner": STRANGER},
        {"stream": Stream.RECORD},
        {"topic": "access-refused"},
        {"topic": "access-permitted "},
        {"topic": ""},
    ],
    ids=lambda other: " ".join(f"{name} {value}" for name, value in other.items() if name != "secret"),
)
def test_what_is_sealed_opens_as_no_other_event(other: dict[str, Any]) -> None:
    sealed = an_access()
    assert open_as(sealed) == [TOLD, AUDIT]

    with pytest.raises(SealBroken):
        open_as(sealed, **other)


def test_consents_and_payloads_open_under_no_other_key_and_for_nobody_else() -> None:
    consents, payload = seal_consents(SECRET, PATIENT, TOLD), seal_payload(SECRET, ID, TOLD)
    wrong: list[Callable[[], bytes]] = [
        partial(unseal_consents, OTHER_SECRET, PATIENT, consents),
        partial(unseal_consents, SECRET, STRANGER, consents),
        partial(unseal_consents, SECRET, ID, payload),
        partial(unseal_payload, OTHER_SECRET, ID, payload),
        partial(unseal_payload, SECRET, OTHER_ID, payload),
        partial(unseal_payload, SECRET, PATIENT, consents),
    ]

    for opened in wrong:
        with pytest.raises(SealBroken):
            opened()


@pytest.mark.parametrize("place", [0, 1], ids=["the patient's", "the auditor's"])
@pytest.mark.parametrize("key", [FOR_PATIENTS, FOR_AUDITORS], ids=["told", "audit"])
def test_one_derived_key_opens_its_own_section_and_no_other(place: int, key: bytes) -> None:
    section, opens = split_sections(an_access())[place], [FOR_PATIENTS, FOR_AUDITORS]
    about = ABOUT + bytes([[Section.STATE, Section.APART][place], 2])

    if key == opens[place]:
        assert unseal(key, section, about) == [TOLD, AUDIT][place]
    else:
        with pytest.raises(SealBroken):
            unseal(key, section, about)


def test_the_same_key_does_not_open_a_section_as_the_other() -> None:
    told, audit = split_sections(an_access())

    for key, section, other in ((FOR_PATIENTS, told, Section.APART), (FOR_AUDITORS, audit, Section.STATE)):
        with pytest.raises(SealBroken):
            unseal(key, section, ABOUT + bytes([other, 2]))


def test_sections_in_another_order_or_from_another_event_do_not_open() -> None:
    def whole(*sections: bytes) -> bytes:
        return b"".join(len(section).to_bytes(4, "big") + section for section in sections)

    about = about_event(OTHER_ID, PATIENT, Stream.ACCESS, "access-permitted")
    told, audit = split_sections(an_access())
    _, theirs = split_sections(seal_event(SECRET, OTHER_ID, [TOLD, AUDIT], about))
    assert open_as(whole(told, audit)) == [TOLD, AUDIT]

    wrong = [[audit, told], [told, told], [told, theirs], [audit], [told, audit, audit], [told, b""], []]
    for sections in wrong:
        with pytest.raises(SealBroken):
            open_as(whole(*sections))


# --- changed bytes


@for_all(st.data())
def test_a_flipped_bit_anywhere_is_noticed(data: st.DataObject) -> None:
    apart = data.draw(st.sampled_from([[], [AUDIT]]), "apart")
    sealed = seal_event(SECRET, ID, [TOLD, *apart], ABOUT)
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1), "bit")

    flipped = int.from_bytes(sealed, "big") ^ (1 << bit)

    with pytest.raises(SealBroken):
        unseal_event(SECRET, ID, flipped.to_bytes(len(sealed), "big"), ABOUT)


def test_every_flipped_bit_of_one_seal_is_noticed() -> None:
    sealed = an_access()

    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            open_as(bytes(changed))


def test_an_event_that_was_cut_off_or_added_to_is_noticed() -> None:
    sealed = an_access()
    told, _ = split_sections(sealed)
    odd = [sealed[:length] for length in range(len(sealed)) if length != 4 + len(told)]

    for changed in [*odd, sealed + b"\x00", sealed + bytes(4), b"\x00" + sealed]:
        with pytest.raises(SealBroken):
            open_as(changed)


def test_an_event_that_lost_its_auditors_section_is_noticed() -> None:
    sealed = an_access()
    told, _ = split_sections(sealed)

    with pytest.raises(SealBroken):
        open_as(sealed[: 4 + len(told)])


# --- the keys


@for_all(st.binary(min_size=32, max_size=32), st.sampled_from(Section), st.uuids())
def test_a_derived_key_is_what_rfc_5869_expands(secret: bytes, section: Section, name: UUID) -> None:
    expanded = HKDFExpand(SHA256(), length=32, info=b"tsuzuri/" + bytes([section]) + name.bytes)

    assert derived(secret, section, name.bytes) == expanded.derive(secret)


def test_no_two_uses_share_a_derived_key() -> None:
    keys = {derived(SECRET, section, name.bytes) for section in Section for name in (ID, OTHER_ID, PATIENT)}

    assert len(keys) == 3 * len(Section)
    assert SECRET not in keys


def test_the_numbers_of_the_sections_stay_for_ever() -> None:
    numbers = [(section.name, section.value) for section in Section]

    assert numbers == [("STATE", 1), ("APART", 2), ("CONSENTS", 3), ("PAYLOAD", 4)]
