"""Signed notes, checkpoints and cosignatures of C2SP, a second time, for the second verifier."""

import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from second_fields import Refused, demand, of_base64

PLAIN, COSIGNER = 1, 4
LINE = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})\n")


@dataclass(frozen=True)
class Key:
    """Of a log (kind 1) or of a witness (kind 4)."""

    name: str
    kind: int
    raw: bytes

    @classmethod
    def read(cls, text: str) -> "Key":
        """From `name+hex id+base64(kind ‖ key)`."""
        demand(text.count("+") >= 2, "a key has three parts")
        name, shown, rest = text.split("+", 2)
        packed = of_base64(rest)
        demand(len(packed) == 33 and packed[0] in (PLAIN, COSIGNER), "a key of a kind that is not known")
        key = cls(name, packed[0], packed[1:])
        demand(bool(name) and not re.search(r"\s", name), "a key has a name without spaces")
        demand(shown == key.id.hex(), "the key does not fit its id")
        return key

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.raw).digest()[:4]

    def check(self, signature: bytes, said: bytes) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, said)
        except (InvalidSignature, ValueError):
            raise Refused(f"a signature of {self.name} is not over this") from None


def taken_apart(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text with its last newline, and the name and bytes of each signature."""
    demand("\n\n" in note, "a note has an empty line before its signatures")
    demand(not re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff]", note), "a note has no control characters")
    text, signatures = note.rsplit("\n\n", 1)
    found = [LINE.fullmatch(line) for line in re.findall("[^\n]*\n|[^\n]+", signatures)]
    demand(bool(found) and all(found), "a line of signature is none")
    return text + "\n", [(line[1], of_base64(line[2])) for line in found if line]


def signed_by(note: str, key: Key) -> tuple[str, list[bytes]]:
    """The text of the note, and what the key's signatures have behind its id; unknown ones are passed over."""
    text, signatures = taken_apart(note)
    ours = [each[4:] for name, each in signatures if name == key.name and each[:4] == key.id]
    demand(bool(ours), f"{key.name} has not signed")
    return text, ours


def said_by(note: str, key: Key) -> str:
    demand(key.kind == PLAIN, "not the key of a log")
    text, signatures = signed_by(note, key)
    for signature in signatures:
        key.check(signature, text.encode())
    return text


def cosigned_at(note: str, witness: Key) -> int:
    """When the witness saw the checkpoint (seconds since 1970), by `cosignature/v1`."""
    demand(witness.kind == COSIGNER, "not the key of a witness")
    text, signatures = signed_by(note, witness)
    moments = [int.from_bytes(signature[:8]) for signature in signatures]
    for seconds, signature in zip(moments, signatures, strict=True):
        demand(len(signature) == 72, "a cosignature has a moment and a signature")
        witness.check(signature[8:], f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return max(moments)


def checkpoint(note: str, key: Key) -> tuple[int, bytes]:
    """How many heads, and the root of their tree."""
    text = said_by(note, key)
    lines = text.split("\n")
    demand(len(lines) >= 4 and lines[-1] == "" and "" not in lines[:-1], "a checkpoint has three lines")
    demand(lines[0] == key.name, "the checkpoint is one of another log")
    demand(re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]) is not None, "a checkpoint has a number of heads")
    root = of_base64(lines[2])
    demand(len(root) == 32, "a checkpoint has a root")
    return int(lines[1]), root
