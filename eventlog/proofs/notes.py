"""Signed checkpoints: C2SP signed-note and tlog-checkpoint, Ed25519; countersigned as C2SP tlog-cosignature has it.

tsuzuri.example/log            origin: whose log
1204                           how many heads its tree has
jQ8m…=                         their root
                               (an empty line, then signatures)
— tsuzuri.example/log Az3g…=   name, then base64 of the key's id (4 bytes) and the signature
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tsuzuri.eventlog.proofs.merkle import HASH_BYTES, ProofFails

_LOG, _WITNESS = 1, 4  # kinds of keys: of a log's own signature, of a witness' cosignature/v1
_MARK = "— "
_ID_BYTES, _TIME_BYTES = 4, 8
_SIZE = re.compile("0|[1-9][0-9]{0,17}")


def decoded(text: str) -> bytes:
    """Strict base64: bytes have one spelling. Raises ProofFails."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or encoded(data) != text:
        raise ProofFails("this is not base64")
    return data


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself at one moment: so many heads, under this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ProofFails."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise ProofFails("a checkpoint is an origin, a size and a root, each on its line")
        origin, size, root = lines[0], lines[1], decoded(lines[2])
        if not _SIZE.fullmatch(size) or len(root) != HASH_BYTES:
            raise ProofFails("a checkpoint has a decimal size and a root of 32 bytes")
        return cls(origin, int(size), root)


@dataclass(frozen=True)
class PublicKey:
    """Whose signature counts. As text: name+id in hex+base64 of the kind and the 32 bytes of the key."""

    name: str
    kind: int
    key: bytes

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ProofFails."""
        name, _, rest = text.strip().partition("+")
        mark, _, data = rest.partition("+")
        raw = decoded(data)
        if not _is_name(name) or len(raw) != 1 + HASH_BYTES or raw[0] not in (_LOG, _WITNESS):
            raise ProofFails("this is not a public key: name+8 hex digits+base64 of an Ed25519 key")
        key = cls(name, raw[0], raw[1:])
        if key.id.hex() != mark:
            raise ProofFails(f"the id of the key of {name} is not that of its bytes")
        return key

    @property
    def id(self) -> bytes:
        return sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.key).digest()[:_ID_BYTES]

    @property
    def countersigns(self) -> bool:
        """Whether it is a witness'."""
        return self.kind == _WITNESS

    def text(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encoded(bytes([self.kind]) + self.key)}"

    def signed(self, body: str, line: str) -> bool:
        """Whether *line*, as a note has it under its body, is this key's signature over *body*."""
        name, _, signature = line.strip().removeprefix(_MARK).rpartition(" ")
        raw = decoded(signature)
        return (name, raw[:_ID_BYTES]) == (self.name, self.id) and self.holds(body, raw[_ID_BYTES:])

    def holds(self, body: str, signature: bytes) -> bool:
        """Whether this key made *signature* over the text of a note."""
        signed = body.encode()
        if self.kind == _WITNESS:
            if len(signature) <= _TIME_BYTES:
                return False
            signed = _cosigned(body, int.from_bytes(signature[:_TIME_BYTES], "big"))
            signature = signature[_TIME_BYTES:]
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, signed)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """Of a log or of a witness. As text: PRIVATE+KEY+name+id in hex+base64 of the kind and the 32 bytes of the seed."""

    def __init__(self, name: str, kind: int, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._seed = seed
        self.public = PublicKey(name, kind, self._private.public_key().public_bytes_raw())

    @classmethod
    def made(cls, name: str, *, witness: bool = False) -> Self:
        """A new one. *name* has no spaces and no plus. Raises ProofFails."""
        if not _is_name(name):
            raise ProofFails("the name of a key has no spaces and no plus")
        return cls(name, _WITNESS if witness else _LOG, os.urandom(HASH_BYTES))

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ProofFails, which repeats nothing of the text."""
        start = "PRIVATE+KEY+"
        name, _, rest = text.strip().removeprefix(start).partition("+")
        raw = decoded(rest.partition("+")[2])
        if not text.startswith(start) or len(raw) != 1 + HASH_BYTES or raw[0] not in (_LOG, _WITNESS):
            raise ProofFails("this is not a signing key")
        return cls(name, raw[0], raw[1:])

    def text(self) -> str:
        public = self.public
        return f"PRIVATE+KEY+{public.name}+{public.id.hex()}+{encoded(bytes([public.kind]) + self._seed)}"

    def signature(self, body: str, at_seconds: int = 0) -> str:
        """The line to put under *body*. *at_seconds*: of a witness, when it looked (Unix time)."""
        signed, time = body.encode(), b""
        if self.public.kind == _WITNESS:
            signed, time = _cosigned(body, at_seconds), at_seconds.to_bytes(_TIME_BYTES, "big")
        signature = self.public.id + time + self._private.sign(signed)
        return f"{_MARK}{self.public.name} {encoded(signature)}\n"


@dataclass(frozen=True)
class Note:
    """A checkpoint's text and the signatures under it."""

    body: str
    signatures: tuple[tuple[str, bytes], ...]  # name; id, and what follows it

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ProofFails."""
        body, gap, under = text.rpartition("\n\n")
        lines = under.split("\n")
        if not gap or lines.pop() or not lines:
            raise ProofFails("a signed note is a text, an empty line, and signatures")
        signatures: list[tuple[str, bytes]] = []
        for line in lines:
            name, space, signature = line.removeprefix(_MARK).partition(" ")
            if not line.startswith(_MARK) or not space or not name:
                raise ProofFails("a signature is a line of a dash, a name and base64")
            signatures.append((name, decoded(signature)))
        return cls(body + "\n", tuple(signatures))

    def signed_by(self, key: PublicKey) -> bool:
        """Whether a signature of this key stands under it. Raises ProofFails: one does, and is false."""
        under = self._of(key)
        if not all(key.holds(self.body, one[_ID_BYTES:]) for one in under):
            raise ProofFails(f"the signature of {key.name} is not of this checkpoint")
        return bool(under)

    def line_of(self, key: PublicKey) -> str:
        """The line of a key whose signature stands under it."""
        return f"{_MARK}{key.name} {encoded(self._of(key)[0])}\n"

    def _of(self, key: PublicKey) -> list[bytes]:
        return [one for name, one in self.signatures if name == key.name and one[:_ID_BYTES] == key.id]


def signed(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The note."""
    return f"{checkpoint.text()}\n{key.signature(checkpoint.text())}"


def checked(note: str, key: PublicKey) -> Checkpoint:
    """What the log signed. Raises ProofFails."""
    if key.kind != _LOG:
        raise ProofFails(f"the key of {key.name} is that of a witness, not of a log")
    read = Note.of(note)
    checkpoint = Checkpoint.of(read.body)
    if checkpoint.origin != key.name or not read.signed_by(key):
        raise ProofFails(f"this checkpoint is not signed by {key.name}")
    return checkpoint


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and " " not in name and "+" not in name


def _cosigned(body: str, at_seconds: int) -> bytes:
    return f"cosignature/v1\ntime {at_seconds}\n{body}".encode()
