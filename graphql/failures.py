"""Errors as a client and the log get them: a code or a kind, a place, and nothing of the driver or of a patient."""

import re
import traceback
from pathlib import Path
from typing import Any

from graphql import GraphQLError

from tsuzuri.graphql.context import RequestRefused

INTERNAL = "INTERNAL"
FRAMES_MAX = 20  # the innermost: a recursion has a thousand
_SUGGESTION = re.compile(r" Did you mean .*", re.DOTALL)  # names that were not asked for
_OURS = Path(__file__).parents[1]


def told(error: GraphQLError, request_id: str) -> tuple[dict[str, Any], bool]:
    """The error for the client, and whether it is a fault of ours that must be logged.

    What the client can mend is told in words. A fault of ours shows only the id it is logged under.
    """
    original = error.original_error
    shown: dict[str, Any] = {"message": error.message}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        shown["path"] = list(error.path)
    shown["message"] = _SUGGESTION.sub("", error.message)
    if original is None or isinstance(original, GraphQLError):
        code = (error.extensions or {}).get("code", "GRAPHQL_INVALID")
        return shown | {"extensions": {"code": code}}, False
    if isinstance(original, RequestRefused):
        extensions = {"code": original.code, **original.details}
        return shown | {"message": str(original), "extensions": extensions}, False
    message = f"something went wrong on our side; quote {request_id} when you report it"
    return shown | {"message": message, "extensions": {"code": INTERNAL, "requestId": request_id}}, True


def places(error: BaseException | None) -> list[str]:
    """Where in our own code a fault passed, outermost first: "record_reader.py:152".

    For the log. Messages, source lines and local variables may hold what a patient's row holds: none of them goes in.
    """
    frames = traceback.walk_tb(error.__traceback__ if error else None)
    files = [(Path(frame.f_code.co_filename), line) for frame, line in frames]
    return [f"{file.name}:{line}" for file, line in files if file.is_relative_to(_OURS)][-FRAMES_MAX:]


def by_chance(error: GraphQLError) -> bool:
    """Whether the same question might not have met it: a fault of ours, or a limit that others share."""
    original = error.original_error
    if isinstance(original, RequestRefused):
        return original.code == "TOO_COSTLY"
    return original is not None and not isinstance(original, GraphQLError)
