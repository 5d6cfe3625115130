"""What an action says when it cannot be done as asked. The edge turns these into HTTP or GraphQL, once."""

ATTEMPTS = 5  # at a write that others keep getting ahead of; then Busy


class NotPermitted(Exception):
    """The caller's role or facility does not allow it."""


class Busy(Exception):
    """The same patient's record or consents were being changed again and again: try once more."""
