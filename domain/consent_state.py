"""Consents as the bytes that lie in the patient's head row, and back."""

from uuid import UUID

import msgspec

from tsuzuri.domain.consents import Consents, Grant


class _Held(msgspec.Struct):
    version: int
    grants: tuple[Grant, ...]


_decoder = msgspec.json.Decoder(_Held)


def dump(consents: Consents) -> bytes:
    return msgspec.json.encode(_Held(consents.version, consents.grants))


def load(patient: UUID, state: bytes | None) -> Consents:
    """A patient without a head row has no consents."""
    if state is None:
        return Consents(patient)
    held = _decoder.decode(state)
    return Consents(patient, held.version, held.grants)
