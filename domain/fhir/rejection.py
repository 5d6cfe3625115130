"""The one exception of this room."""


class BundleRejected(Exception):
    """A Bundle that can't be taken. Place and reason tell the sender what to mend, never a patient's value.

    `not_a_bundle`: valid JSON, but something else. `unreadable`: not even JSON that a reader may take.
    """

    def __init__(
        self, place: str, reason: str, *, not_a_bundle: bool = False, unreadable: bool = False
    ) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place  # "line 3 column 14", "byte 1043", "Bundle.entry[4].resource.code"
        self.reason = reason
        self.not_a_bundle = not_a_bundle
        self.unreadable = unreadable

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.place, self.reason, self.not_a_bundle, self.unreadable)


def _again(place: str, reason: str, not_a_bundle: bool, unreadable: bool) -> BundleRejected:
    """Rebuild it on the other side of a process boundary: Bundles are read in a worker."""
    return BundleRejected(place, reason, not_a_bundle=not_a_bundle, unreadable=unreadable)
