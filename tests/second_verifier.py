"""A second verifier of proofs, written from docs/PROOFS.md and the standards it names, with nothing of ours.

Everything is the definition as it stands there, recursive and over slices, so that it shares no mistake with the
first. Of the same files: second_trees.py, second_notes.py, second_fields.py.
"""

import base64
import io
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from second_fields import Fields, Refused, demand
from second_notes import Key, checkpoint
from second_trees import Tree, climb, demand_growth, end_of_way, follow, key_of, leaf, value_of

ACCESS_STREAM, ACCESS_TOPIC = 3, "access-permitted"
MOST = 2**24
"""Bytes that a section may have when it is no longer compressed."""


def verify(bundle: Mapping[str, Any], key_text: str) -> str:
    """What the bundle proves, in words, under the log's key; below, a line of JSON for each section it opens.

    Raises:
        Refused: it proves nothing.
    """
    proof, key = Fields(bundle), Key.read(key_text)
    demand(proof["tsuzuri"] == "proof/1", "not a proof of this kind")
    demand(proof.number("parts", 2) > 0, "a log has one part at least")
    match proof["proves"]:
        case "event":
            return of_event(proof, key)
        case "accesses":
            return of_accesses(proof, key)
        case "consistency":
            return of_consistency(proof, key)
        case _:
            raise Refused("a proof of something that is not known here")


def of_event(proof: Fields, key: Key) -> str:
    head, parts = head_under(proof, key), proof.number("parts", 2)
    event, size = proof.one("event"), proof.number("size", 8)
    part, pos = event.number("part", 2), event.number("pos", 8)
    root = follow(event_leaf(event), pos - 1, size, proof.path("path"))
    above = follow(part_of_events(part, size, root), part, parts, proof.path("partPath"))
    demand(above == head.hash("events"), "the event is not under the head")
    opened = sections_opened(event, proof.one("keys")) if proof.has("keys") else []
    return in_words(f"event {pos} of part {part} ({event.text('topic')}) stands in the log", head, opened)


def sections_opened(event: Fields, keys: Fields) -> list[Any]:
    sections = sections_of(event.binary("state"))
    about = identity(
        event.uuid("eventId"), event.uuid("owner"), event.number("stream", 1), event.text("topic")
    )
    return [
        opened_section(section, keys.binary(name), about, which, len(sections))
        for which, section, name in zip((1, 2), sections, ("told", "audit"), strict=False)
        if keys.has(name)
    ]


def of_accesses(proof: Fields, key: Key) -> str:
    head = head_under(proof, key)
    lists = proof.many("lists")
    owners = [each.uuid("owner") for each in lists]
    demand(0 < len(owners) == len(set(owners)), "a list for each owner, and one")
    opened = [
        one for each in lists for one in of_one_list(each, proof.number("parts", 2), head.hash("accesses"))
    ]
    number = sum(len(each.items("accesses")) for each in lists)
    return in_words(f"these are all {number} accesses of {len(lists)} owners", head, opened)


def of_one_list(given: Fields, parts: int, root: bytes) -> list[Any]:
    owner, part = given.uuid("owner"), given.number("part", 2)
    demand(owner.int % parts == part, "the owner does not lie in this part")
    accesses = given.many("accesses")
    hashes = [access_leaf(owner, each) for each in accesses]
    value = value_of(len(hashes), Tree(hashes).root(len(hashes))) if hashes else None
    other = given.one("other") if given.has("other") else None
    path, way = given.path("path"), key_of(owner.bytes)
    stranger = None if other is None else (other.hash("key"), other.hash("value"))
    top = climb(end_of_way(way, value, stranger, len(path)), way, path)
    above = follow(part_of_accesses(part, parts, top), part, parts, given.path("partPath"))
    demand(above == root, "the list is not the one under the head")
    return [
        opened_section(
            each.binary("told"),
            each.binary("key"),
            identity(each.uuid("eventId"), owner, ACCESS_STREAM, ACCESS_TOPIC),
            1,
            each.number("sections", 1),
        )
        for each in accesses
        if each.has("key")
    ]


def of_consistency(proof: Fields, key: Key) -> str:
    earlier, later = proof.one("from"), proof.one("to")
    (m, old), (n, new) = (checkpoint(each.text("checkpoint"), key) for each in (earlier, later))
    demand_growth(m, n, old, new, proof.path("path"))
    parts = proof.number("parts", 2)
    before, after = (sizes_and_roots(each, head_under(each, key), parts) for each in (earlier, later))
    paths = [Fields({"path": path}).path("path") for path in proof.items("partPaths")]
    demand(len(paths) == parts, "a path for each part")
    for (m, old), (n, new), path in zip(before, after, paths, strict=True):
        demand_growth(m, n, old, new, path)
    added = sum(n for n, _ in after) - sum(m for m, _ in before)
    return in_words(f"the later log is the earlier one with {added} events added", later.one("head"), [])


def sizes_and_roots(given: Fields, head: Fields, parts: int) -> list[tuple[int, bytes]]:
    found = [(each.number("size", 8), each.hash("root")) for each in given.many("parts")]
    demand(len(found) == parts, "all parts, by number")
    tree = Tree([part_of_events(number, size, root) for number, (size, root) in enumerate(found)])
    demand(tree.root(parts) == head.hash("events"), "the parts are not those under the head")
    return found


def head_under(given: Fields, key: Key) -> Fields:
    """The newest head, shown to be under the checkpoint."""
    size, root = checkpoint(given.text("checkpoint"), key)
    head = given.one("head")
    demand(
        follow(leaf(head_text(head)), size - 1, size, head.path("path")) == root, "the head is not under it"
    )
    return head


def head_text(head: Fields) -> bytes:
    head.moment("at")
    roots = (base64.b64encode(head.hash(name)).decode() for name in ("events", "accesses"))
    return "".join(f"{line}\n" for line in ("tsuzuri head", head.text("at"), *roots)).encode()


def event_leaf(event: Fields) -> bytes:
    topic = event.text("topic").encode()
    return leaf(
        event.number("part", 2).to_bytes(2)
        + event.number("pos", 8).to_bytes(8)
        + event.uuid("eventId").bytes
        + event.uuid("owner").bytes
        + event.number("stream", 2).to_bytes(2)
        + (event.number("version", 8) if event.has("version") else 0).to_bytes(8)
        + event.moment("recordedAt").to_bytes(8, signed=True)
        + len(topic).to_bytes(4)
        + topic
        + event.uuid("keyId").bytes
        + event.binary("state")
    )


def part_of_events(part: int, size: int, root: bytes) -> bytes:
    return leaf(part.to_bytes(2) + size.to_bytes(8) + root)


def part_of_accesses(part: int, parts: int, root: bytes) -> bytes:
    return leaf(part.to_bytes(2) + parts.to_bytes(2) + root)


def access_leaf(owner: UUID, access: Fields) -> bytes:
    demand(access.number("sections", 1) in (1, 2), "an access has one section or two")
    return leaf(
        access.uuid("eventId").bytes
        + owner.bytes
        + access.moment("recordedAt").to_bytes(8, signed=True)
        + access.uuid("keyId").bytes
        + access.number("sections", 1).to_bytes(1)
        + access.hash("apart")
        + access.binary("told")
    )


def sections_of(state: bytes) -> list[bytes]:
    if not state:
        return []
    length, rest = int.from_bytes(state[:4]), state[4:]
    demand(len(state) >= 4 and length <= len(rest), "a section is cut off")
    found = [rest[:length], *sections_of(rest[length:])]
    demand(len(found) <= 2, "more than two sections")
    return found


def identity(event_id: UUID, owner: UUID, stream: int, topic: str) -> bytes:
    return event_id.bytes + owner.bytes + stream.to_bytes(1) + topic.encode()


def opened_section(section: bytes, key: bytes, bound_to: bytes, which: int, of: int) -> Any:
    demand(len(key) == 32 and len(section) >= 28, "a section or its key has another length")
    try:
        plain = AESGCM(key).decrypt(section[:12], section[12:], bound_to + bytes([which, of]))
    except InvalidTag:
        raise Refused("a key does not open its section") from None
    try:
        if plain[:1] == b"z":
            with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(plain[1:])) as stream:
                said = json.loads(stream.read(MOST))
        else:
            demand(plain[:1] == b"-", "a section begins in another way")
            said = json.loads(plain[1:])
    except (zstandard.ZstdError, ValueError, RecursionError):
        raise Refused("a section is not JSON") from None
    demand(isinstance(said, dict), "a section is no object")
    return said


def in_words(what: str, head: Fields, opened: list[Any]) -> str:
    lines = [f"{what}, under the head of {head.text('at')}."]
    return "\n".join(lines + [json.dumps(one, ensure_ascii=False, sort_keys=True) for one in opened])
