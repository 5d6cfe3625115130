"""When a connection is lost, nobody knows what became of what was sent: it is sent again until somebody does."""

from psycopg import Error

IN_DOUBT_SECONDS = 10.0
PAUSE_SECONDS = 0.05

_SERVER_GOES = ("57P", "08")  # shut down, crashed, starting up; connection exceptions
_ROLLED_BACK = ("40001", "40P01")  # a deadlock or a conflict: certainly nothing was written


def lost(error: Error) -> bool:
    """Whether it is unknown, or certainly for no reason of its own, that the statement was not carried out."""
    state = error.sqlstate
    return state is None or state.startswith(_SERVER_GOES) or state in _ROLLED_BACK
