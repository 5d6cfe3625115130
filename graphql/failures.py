"""Errors as a client gets them: a code, one line, and nothing of the driver or of a patient."""

from typing import Any

from graphql import GraphQLError

from tsuzuri.graphql.context import RequestRefused

INTERNAL = "INTERNAL"


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
    if original is None or isinstance(original, GraphQLError):
        code = (error.extensions or {}).get("code", "GRAPHQL_INVALID")
        return shown | {"extensions": {"code": code}}, False
    if isinstance(original, RequestRefused):
        return shown | {"message": str(original), "extensions": {"code": original.code}}, False
    message = f"something went wrong on our side; quote {request_id} when you report it"
    return shown | {"message": message, "extensions": {"code": INTERNAL, "requestId": request_id}}, True
