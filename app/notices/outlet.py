"""Where notices go: what the sender asks of an outlet."""

from typing import Protocol

import msgspec

from tsuzuri.domain.notices import Notice


class OutletDown(Exception):
    """Nothing can be delivered now; the message says what is wrong with the outlet, never what a notice holds."""


class NoticeNotTaken(Exception):
    """This one is not taken, though others are."""


class Outlet(Protocol):
    """The way to the patient, or to who tells her."""

    def deliver(self, notice: Notice) -> None:
        """Returns when it is delivered for good: the sender then forgets it. It may have come before, by its id.

        Raises:
            OutletDown, NoticeNotTaken: it is tried again later.
        """


def as_json(notice: Notice) -> bytes:
    """One line, without its end: "id", "kind", "patient", "facility", "role", "at", "until", "emergency"."""
    return msgspec.json.encode(notice)
