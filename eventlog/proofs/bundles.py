"""Checks a proof from one file: needs nothing but the log's public key. The format: docs/PROOFS.md.

What is checked is that the signed root follows, step by step, from what the file shows. Whatever else the file says of
itself counts for nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tsuzuri.eventlog.proofs.access_map import MapPath, map_key, map_value, root_by_path
from tsuzuri.eventlog.proofs.fields import Fields
from tsuzuri.eventlog.proofs.heads import Head, PartHead, accesses_leaf
from tsuzuri.eventlog.proofs.merkle import ProofFails, check_consistency, root_by_inclusion, root_of
from tsuzuri.eventlog.proofs.notes import Checkpoint, Note, PublicKey, checked
from tsuzuri.eventlog.proofs.stored import ACCESS_TOPIC, AUDIT, TOLD, AboutAccess, ListedAccess, StoredEvent

FORMAT = "proof/1"
_ACCESS_STREAM = 3
_PARTS_MAX = 4096


@dataclass(frozen=True, kw_only=True)
class Covered:
    """The signed head that a proof ends in."""

    checkpoint: Checkpoint
    head: Head
    witnesses: tuple[str, ...]  # of those that were asked for, who countersigned


@dataclass(frozen=True, kw_only=True)
class EventProven:
    """This event stands in the log at this place."""

    covered: Covered
    event: StoredEvent
    told: Mapping[str, Any] | None  # what the disclosed keys open; None: no key was disclosed
    audit: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class ProvenAccess:
    access: ListedAccess
    told: Mapping[str, Any] | None  # None: its content was erased, or no key was disclosed


@dataclass(frozen=True, kw_only=True)
class AccessesProven:
    """These are all accesses to this patient that the head covers, in their order."""

    covered: Covered
    owners: tuple[UUID, ...]  # the patient, and who is the same person
    accesses: tuple[ProvenAccess, ...]


@dataclass(frozen=True, kw_only=True)
class ConsistencyProven:
    """The later log is the earlier one with events added to it, in every part."""

    earlier: Covered
    later: Covered
    events_earlier: int
    events_later: int


Proven = EventProven | AccessesProven | ConsistencyProven


def verify(proof: object, key: PublicKey, witnesses: Sequence[PublicKey] = ()) -> Proven:
    """Raises ProofFails: says what does not hold, and where."""
    given = Fields(proof)
    if given.text("tsuzuri") != FORMAT:
        raise ProofFails(f"the format is not {FORMAT}")
    match given.text("proves"):
        case "event":
            return _event(given, key, witnesses)
        case "accesses":
            return _accesses(given, key, witnesses)
        case "consistency":
            return _consistency(given, key, witnesses)
        case _:
            raise ProofFails("it is not said what is proven: event, accesses or consistency")


def covered(given: Fields, key: PublicKey, witnesses: Sequence[PublicKey]) -> Covered:
    """The checkpoint that *given* carries, and its newest head. Raises ProofFails."""
    note = given.text("checkpoint")
    checkpoint = checked(note, key)
    of_head = given.part("head")
    head = Head(of_head.moment("at"), of_head.hash("events"), of_head.hash("accesses"))
    root = root_by_inclusion(head.leaf(), checkpoint.size - 1, checkpoint.size, of_head.path("path"))
    if root != checkpoint.root:
        raise ProofFails("the head is not the one that was signed")
    return Covered(checkpoint=checkpoint, head=head, witnesses=countersigned(note, witnesses))


def countersigned(note: str, witnesses: Sequence[PublicKey]) -> tuple[str, ...]:
    """The names of those that signed it too. Raises ProofFails: a signature of one is false."""
    return tuple(one.name for one in witnesses if Note.of(note).signed_by(one))


def parts_of(given: Fields) -> int:
    parts = given.number("parts")
    if not 1 <= parts <= _PARTS_MAX:
        raise ProofFails("a log has 1 to 4096 parts")
    return parts


def _event(given: Fields, key: PublicKey, witnesses: Sequence[PublicKey]) -> EventProven:
    ends = covered(given, key, witnesses)
    event = stored_event(given.part("event"))
    size = given.number("size")
    place = f"part {event.part}, position {event.pos}"
    try:
        root = root_by_inclusion(event.hash(), event.pos - 1, size, given.path("path"))
        of_part = PartHead(event.part, size, root, b"").events_leaf()
        above = root_by_inclusion(of_part, event.part, parts_of(given), given.path("partPath"))
    except ProofFails as fault:
        raise ProofFails(f"{place}: {fault}") from None
    if above != ends.head.events:
        raise ProofFails(f"{place}: this event is not the one in the log")
    told, audit = None, None
    if given.has("keys"):
        keys, sections = given.part("keys"), event.sections()
        about = AboutAccess(event.event_id, event.owner, event.stream, event.topic, len(sections))
        if keys.has("told"):
            told = about.opened(TOLD, sections[0], keys.binary("told"))
        if keys.has("audit") and len(sections) == AUDIT:
            audit = about.opened(AUDIT, sections[1], keys.binary("audit"))
    return EventProven(covered=ends, event=event, told=told, audit=audit)


def stored_event(given: Fields) -> StoredEvent:
    event = StoredEvent(
        part=given.number("part"),
        pos=given.number("pos"),
        event_id=given.uuid("eventId"),
        owner=given.uuid("owner"),
        stream=given.number("stream"),
        version=(given.number("version") or None) if given.has("version") else None,
        recorded_at=given.moment("recordedAt"),
        topic=given.text("topic"),
        key_id=given.uuid("keyId"),
        state=given.binary("state"),
    )
    if event.part >= _PARTS_MAX or event.stream >= 2**15:
        raise ProofFails("there is no such part or stream")
    return event


def _accesses(given: Fields, key: PublicKey, witnesses: Sequence[PublicKey]) -> AccessesProven:
    ends = covered(given, key, witnesses)
    parts = parts_of(given)
    owners: list[UUID] = []
    accesses: list[ProvenAccess] = []
    for each in given.parts("lists"):
        owner, found = _list(each, parts, ends.head)
        if owner in owners:
            raise ProofFails("the same list is given twice")
        owners.append(owner)
        accesses += found
    if not owners:
        raise ProofFails("no list of accesses is given")
    accesses.sort(key=lambda one: one.access.recorded_at)
    return AccessesProven(covered=ends, owners=tuple(owners), accesses=tuple(accesses))


def _list(given: Fields, parts: int, head: Head) -> tuple[UUID, list[ProvenAccess]]:
    owner, part = given.uuid("owner"), given.number("part")
    if part != owner.int % parts:
        raise ProofFails(f"the accesses of {owner} lie in part {owner.int % parts}")
    found = [_listed(one, owner) for one in given.parts("accesses")]
    other = given.part("other") if given.has("other") else None
    path = MapPath(
        tuple(given.path("path")), None if other is None else (other.hash("key"), other.hash("value"))
    )
    value = map_value(len(found), root_of([one.access.hash() for one in found])) if found else None
    of_part = accesses_leaf(part, parts, root_by_path(map_key(owner), value, path))
    if root_by_inclusion(of_part, part, parts, given.path("partPath")) != head.accesses:
        raise ProofFails(
            f"these {len(found)} are not all accesses to {owner}, or one of them was changed or is not hers"
        )
    return owner, found


def _listed(given: Fields, owner: UUID) -> ProvenAccess:
    access = ListedAccess(
        event_id=given.uuid("eventId"),
        owner=owner,
        recorded_at=given.moment("recordedAt"),
        key_id=given.uuid("keyId"),
        sections=given.number("sections"),
        told=given.binary("told"),
        apart=given.hash("apart"),
    )
    if not TOLD <= access.sections <= AUDIT:
        raise ProofFails("an access has one section or two")
    told = None
    if given.has("key"):
        about = AboutAccess(access.event_id, owner, _ACCESS_STREAM, ACCESS_TOPIC, access.sections)
        told = about.opened(TOLD, access.told, given.binary("key"))
    return ProvenAccess(access=access, told=told)


def _consistency(given: Fields, key: PublicKey, witnesses: Sequence[PublicKey]) -> ConsistencyProven:
    before, after = given.part("from"), given.part("to")
    earlier, later = covered(before, key, witnesses), covered(after, key, witnesses)
    check_consistency(
        earlier.checkpoint.size,
        later.checkpoint.size,
        earlier.checkpoint.root,
        later.checkpoint.root,
        given.path("path"),
    )
    were, are = part_heads(before, "parts", earlier.head), part_heads(after, "parts", later.head)
    paths = given.paths("partPaths")
    if not parts_of(given) == len(were) == len(are) == len(paths):
        raise ProofFails("the parts of one log are as many at all times")
    for was, now, path in zip(were, are, paths, strict=True):
        try:
            check_consistency(was.size, now.size, was.root, now.root, path)
        except ProofFails as fault:
            raise ProofFails(f"part {was.part}: {fault}") from None
    return ConsistencyProven(
        earlier=earlier,
        later=later,
        events_earlier=sum(one.size for one in were),
        events_later=sum(one.size for one in are),
    )


def part_heads(given: Fields, name: str, head: Head) -> list[PartHead]:
    """Size and root of every part's tree, as they stand under *head*. Raises ProofFails."""
    found = [
        PartHead(number, one.number("size"), one.hash("root"), b"")
        for number, one in enumerate(given.parts(name))
    ]
    if root_of([one.events_leaf() for one in found]) != head.events:
        raise ProofFails("the parts are not those of the head")
    return found
