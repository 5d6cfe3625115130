"""Values that the examples of events have in common."""

from datetime import UTC, datetime
from uuid import UUID

SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MOMENT = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)


def an_id(number: int) -> UUID:
    return UUID(int=0xABCDEF00_0000_4000_8000_000000000000 + number)
