"""One JSON value as it came, to be asked without fear: whatever stands in it, asking never fails.

A place is told by names that the asking rule gave and by indexes, so nothing a sender wrote can get into it.
"""

from collections.abc import KeysView
from functools import cache
from typing import Any

from tsuzuri.domain.rules.datatypes import DATATYPES


class Part:
    """One JSON value and the way to it."""

    __slots__ = ("_above", "_step", "value")

    def __init__(self, value: Any, step: str, above: "Part | None" = None) -> None:
        self.value = value
        self._step = step
        self._above = above

    @property
    def place(self) -> str:
        steps, part = [self._step], self._above
        while part is not None:
            steps.append(part._step)
            part = part._above
        return ".".join(reversed(steps))

    def children(self, name: str) -> list["Part"]:
        """What is there under a name: one part, or one for each item of a list. "value[x]" is any type of value.

        Null, blank text, and empty lists are not there. An empty object is: what it lacks can be told.
        """
        if not isinstance(self.value, dict):
            return []
        value = self.value.get(name)
        if isinstance(value, dict):
            return [Part(value, name, self)]
        if isinstance(value, list):
            return [Part(v, f"{name}[{n}]", self) for n, v in enumerate(value) if is_there(v)]
        if value is None:
            return self._chosen(name) if name.endswith("[x]") else []
        return [Part(value, name, self)] if is_there(value) else []

    def _chosen(self, name: str) -> list["Part"]:
        if self.value.keys().isdisjoint(choices(name)):
            return []
        return [part for key in choices(name) if key in self.value for part in self.children(key)]

    def child(self, name: str) -> "Part | None":
        return next(iter(self.children(name)), None)

    def has(self, name: str) -> bool:
        """Whether it is there and says something; a primitive may say it by its extension alone."""
        return any(part.value != {} for part in self.children(name)) or bool(self.children(f"_{name}"))

    def text(self, name: str) -> str | None:
        value = self.value.get(name) if isinstance(self.value, dict) else None
        return value if isinstance(value, str) else None

    def below(self, name: str) -> str:
        """The place of something that is missing here."""
        return f"{self.place}.{name}"


def is_there(value: Any) -> bool:
    """Null, blank text and empty lists are not there; an empty object is."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value != []


@cache  # asked with names of the tables only
def choices(name: str) -> KeysView[str]:
    """The names one choice may have, in an order: "value[x]" → valueQuantity, valueString, …"""
    stem = name.removesuffix("[x]")
    return dict.fromkeys(stem + kind for kind in DATATYPES).keys()
