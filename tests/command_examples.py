"""The `tsuzuri` command as a test runs it, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


Tsuzuri = Callable[..., Done]
"""The fixture `tsuzuri`: arguments, and settings by name."""
