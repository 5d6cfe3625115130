"""What an operator says of an order."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Why:
    """It stands in the log, with her name."""

    reason: str | None = None
    ticket: str | None = None  # of the operators' own tracker
