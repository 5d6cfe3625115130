"""A small log in memory, its heads, and true proofs of it as docs/PROOFS.md has them.

Made with the second verifier's hands, so that nothing of the first stands on both sides of a comparison.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from types import MappingProxyType
from typing import Any
from uuid import UUID

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from second_fields import Fields
from second_notes import Key
from second_trees import Entry, Path, SparseMap, Tree, bits, key_of, leaf, value_of
from second_verifier import (
    ACCESS_STREAM,
    ACCESS_TOPIC,
    access_leaf,
    event_leaf,
    head_text,
    identity,
    part_of_accesses,
    part_of_events,
)

Bundle = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def texts(path: Path) -> list[str]:
    return [b64(one) for one in path]


class Signer:
    """A log's key, or a witness' (kind 4)."""

    def __init__(self, name: str, seed: bytes, kind: int = 1) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(name, kind, self._private.public_key().public_bytes_raw())

    def text(self) -> str:
        return f"{self.key.name}+{self.key.id.hex()}+{b64(bytes([self.key.kind]) + self.key.raw)}"

    def line(self, body: str, seconds: int = 0) -> str:
        before, said = b"", body
        if self.key.kind == 4:
            before, said = seconds.to_bytes(8), f"cosignature/v1\ntime {seconds}\n{body}"
        return f"\u2014 {self.key.name} {b64(self.key.id + before + self._private.sign(said.encode()))}\n"

    def note(self, body: str) -> str:
        return f"{body}\n{self.line(body)}"

    def checkpoint(self, size: int, root: bytes) -> str:
        return self.note(f"{self.key.name}\n{size}\n{b64(root)}\n")


class MadeLog:
    """Append, sign, prove. What was signed stays provable, because nothing is ever taken away."""

    def __init__(self, random: Random, parts: int, signer: Signer) -> None:
        self.random, self.parts, self.signer = random, parts, signer
        self.events: list[list[Bundle]] = [[] for _ in range(parts)]
        self.keys: dict[str, list[bytes]] = {}
        self.heads: list[tuple[Bundle, list[int], dict[UUID, int]]] = []
        self._seconds = 0

    def an_owner(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def append(
        self,
        owner: UUID,
        *,
        access: bool = True,
        sections: int = 2,
        plain: bytes | None = None,
        changes: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """*plain*: what is sealed, with its mark; by default something that tells the event from others.
        *changes*: of the event after it was sealed.
        """
        part, event_id = owner.int % self.parts, self.an_owner()
        topic, stream = (ACCESS_TOPIC, ACCESS_STREAM) if access else ("document-registered", 1)
        made = b"-" + json.dumps({"who": "佐藤", "n": len(self.events[part])}).encode()
        keys = [self.random.randbytes(32) for _ in range(sections)]
        self.keys[str(event_id)] = keys
        state = b""
        for which, key in enumerate(keys, 1):
            packed = (
                plain if plain is not None else made if which == 1 else b"z" + zstandard.compress(made[1:])
            )
            nonce, about = self.random.randbytes(12), identity(event_id, owner, stream, topic)
            sealed = nonce + AESGCM(key).encrypt(nonce, packed, about + bytes([which, sections]))
            state += len(sealed).to_bytes(4) + sealed
        event = {
            "part": part,
            "pos": len(self.events[part]) + 1,
            "eventId": str(event_id),
            "owner": str(owner),
            "stream": stream,
            "version": None if access else 1 + len(self.events[part]),
            "recordedAt": self._moment(),
            "topic": topic,
            "keyId": str(self.an_owner()),
            "state": b64(state),
        }
        self.events[part].append({**event, **changes})

    def sign(self) -> int:
        """One more head; its number."""
        sizes = [len(events) for events in self.events]
        lists: dict[UUID, int] = {}
        for event in (one for events in self.events for one in events if one["topic"] == ACCESS_TOPIC):
            owner = UUID(event["owner"])
            lists[owner] = lists.get(owner, 0) + 1
        self.heads.append(({"at": self._moment()}, sizes, lists))
        self.heads[-1][0]["events"] = b64(self._events_tree(sizes).root(self.parts))
        self.heads[-1][0]["accesses"] = b64(self._accesses_tree(lists).root(self.parts))
        return len(self.heads)

    def event_bundle(self, part: int, pos: int, number: int = 0) -> Bundle:
        number = number or len(self.heads)
        _, sizes, _ = self.heads[number - 1]
        event = self.events[part][pos - 1]
        named = zip(("told", "audit"), self.keys[event["eventId"]], strict=False)
        return {
            **self._frame("event", number),
            "event": dict(event),
            "size": sizes[part],
            "path": texts(self._tree(part).inclusion(pos - 1, sizes[part])),
            "partPath": texts(self._events_tree(sizes).inclusion(part, self.parts)),
            "keys": {name: b64(key) for name, key in named},
        }

    def accesses_bundle(self, owners: Sequence[UUID], number: int = 0) -> Bundle:
        number = number or len(self.heads)
        lists = [self.list_in_part(owner, owner.int % self.parts, number) for owner in owners]
        return {**self._frame("accesses", number), "lists": lists}

    def consistency_bundle(self, first: int, number: int) -> Bundle:
        sides = {}
        for side, of in (("from", first), ("to", number)):
            _, sizes, _ = self.heads[of - 1]
            roots = [b64(self._tree(part).root(size)) for part, size in enumerate(sizes)]
            parts = [{"size": size, "root": root} for size, root in zip(sizes, roots, strict=True)]
            sides[side] = {**self._signed(of), "parts": parts}
        were, are = self.heads[first - 1][1], self.heads[number - 1][1]
        return {
            "tsuzuri": "proof/1",
            "proves": "consistency",
            "parts": self.parts,
            **sides,
            "path": texts(self._heads_tree().consistency(first, number)),
            "partPaths": [
                texts(self._tree(part).consistency(m, n))
                for part, (m, n) in enumerate(zip(were, are, strict=True))
            ],
        }

    def list_in_part(self, owner: UUID, part: int, number: int = 0) -> Bundle:
        """What a part's map has of her. True of her own part alone."""
        _, _, lists = self.heads[number - 1]
        path, other = self._map(part, lists).path(key_of(owner.bytes))
        hers = self._of(owner)[: lists.get(owner, 0)] if part == owner.int % self.parts else []
        return {
            "owner": str(owner),
            "part": part,
            "accesses": [self.access_of(event) for event in hers],
            "path": texts(path),
            "other": None if other is None else {"key": b64(other[0]), "value": b64(other[1])},
            "partPath": texts(self._accesses_tree(lists).inclusion(part, self.parts)),
        }

    def entry_of(self, owner: UUID) -> Entry:
        _, _, lists = self.heads[-1]
        key = key_of(owner.bytes)
        return self._map(owner.int % self.parts, lists).entries[bits(key)]

    def _of(self, owner: UUID) -> list[Bundle]:
        of_part = self.events[owner.int % self.parts]
        return [one for one in of_part if one["owner"] == str(owner) and one["topic"] == ACCESS_TOPIC]

    def access_of(self, event: Bundle) -> Bundle:
        state = base64.b64decode(event["state"])
        told, rest = state[4 : (end := 4 + int.from_bytes(state[:4]))], state[end + 4 :]
        keys = self.keys[event["eventId"]]
        return {
            **{name: event[name] for name in ("eventId", "recordedAt", "keyId")},
            "sections": len(keys),
            "told": b64(told),
            "apart": b64(sha256(rest).digest()),
            "key": b64(keys[0]),
        }

    def _tree(self, part: int) -> Tree:
        return Tree([event_leaf(Fields(event)) for event in self.events[part]])

    def _events_tree(self, sizes: Sequence[int]) -> Tree:
        return Tree([part_of_events(part, n, self._tree(part).root(n)) for part, n in enumerate(sizes)])

    def _map(self, part: int, lists: dict[UUID, int]) -> SparseMap:
        values = {}
        for owner, number in lists.items():
            if owner.int % self.parts == part:
                leaves = [access_leaf(owner, Fields(self.access_of(one))) for one in self._of(owner)[:number]]
                values[key_of(owner.bytes)] = value_of(number, Tree(leaves).root(number))
        return SparseMap(values)

    def _accesses_tree(self, lists: dict[UUID, int]) -> Tree:
        maps = [self._map(part, lists).root() for part in range(self.parts)]
        return Tree([part_of_accesses(part, self.parts, root) for part, root in enumerate(maps)])

    def _heads_tree(self) -> Tree:
        return Tree([leaf(head_text(Fields(head))) for head, _, _ in self.heads])

    def _signed(self, number: int) -> Bundle:
        heads = self._heads_tree()
        head = {**self.heads[number - 1][0], "path": texts(heads.inclusion(number - 1, number))}
        return {"checkpoint": self.signer.checkpoint(number, heads.root(number)), "head": head}

    def _frame(self, proves: str, number: int) -> Bundle:
        return {"tsuzuri": "proof/1", "proves": proves, "parts": self.parts, **self._signed(number)}

    def _moment(self) -> str:
        self._seconds += 1
        at = datetime(2026, 11, 23) + timedelta(
            seconds=self._seconds, microseconds=self.random.randrange(10**6)
        )
        return f"{at.isoformat(timespec='microseconds')}Z"
