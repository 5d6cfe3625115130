"""Consents as the bytes that lie in the patient's head row, and back."""

from uuid import UUID

import msgspec

from tsuzuri.domain.consents import Consents, Denial, Emergency, Grant, Proxy


class _Held(msgspec.Struct):
    version: int
    grants: tuple[Grant, ...]
    denials: tuple[Denial, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    emergencies: tuple[Emergency, ...] = ()


_decoder = msgspec.json.Decoder(_Held)


def dump(consents: Consents) -> bytes:
    held = _Held(consents.version, consents.grants, consents.denials, consents.proxies, consents.emergencies)
    return msgspec.json.encode(held)


def load(patient: UUID, state: bytes | None) -> Consents:
    """A patient without a head row has no consents."""
    if state is None:
        return Consents(patient)
    held = _decoder.decode(state)
    return Consents(patient, held.version, held.grants, held.denials, held.proxies, held.emergencies)
