"""What a FHIR Consent says that cannot be said here. All of it is gathered, so that its sender is told at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from tsuzuri.domain.fhir.elements import Element

_TOLD = 3  # in one line; programs get all of them


@dataclass(frozen=True)
class Gap:
    """One thing that keeps a Consent from being taken, and what to do. Never what the Consent holds there."""

    path: str  # FHIR path, such as "Consent.provision.actor[0].role"
    reason: str


class ConsentInexpressible(Exception):
    """A Consent that cannot be taken exactly as it is, and so not at all."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        self.gaps = tuple(dict.fromkeys(gaps))
        told = [f"{gap.path}: {gap.reason}" for gap in self.gaps[:_TOLD]]
        more = [f"{len(self.gaps) - _TOLD} more"] * (len(self.gaps) > _TOLD)
        super().__init__("; ".join([*told, *more]))


class Gaps:
    """The gaps found so far in one Consent."""

    def __init__(self) -> None:
        self._found: list[Gap] = []

    def add(self, path: str, reason: str) -> None:
        self._found.append(Gap(path, reason))

    def only(self, element: Element, *known: str, **refused: str) -> None:
        """Every element beside the *known* ones is a gap: what is not understood might restrict."""
        for key, value in element.data.items():
            if value in ([], {}):
                self.add(
                    f"{element.place}.{key}", "is empty, so nobody can tell what it limits; leave it out"
                )
            elif value is not None and key not in known:
                reason = refused.get(key, "is not understood here, and might restrict; leave it out")
                self.add(f"{element.place}.{key}", reason)

    def check(self) -> None:
        """Raises ConsentInexpressible when there is any."""
        if self._found:
            raise ConsentInexpressible(self._found)
