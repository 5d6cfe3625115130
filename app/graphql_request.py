"""What one GraphQL request asks, from a body or from a query string.

https://graphql.github.io/graphql-over-http/draft/ ("Request Parameters")
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tsuzuri.app.edge import EdgeRefused
from tsuzuri.app.json_body import NotAnObject, read_object

_PARAMETERS = frozenset({"query", "documentId", "operationName", "variables", "extensions"})

TextOf = Callable[[Mapping[str, Any]], str]
"""The document that a request asks for. Raises EdgeRefused."""


@dataclass(frozen=True)
class GraphQLRequest:
    """Of the form that it must have; whether it means anything is not known yet."""

    document: str
    variables: dict[str, Any] | None
    operation_name: str | None


def posted_request(body: bytes, text_of: TextOf) -> GraphQLRequest:
    """Of a POST: one JSON object. Raises EdgeRefused."""
    try:
        return request_of(read_object(body), text_of)
    except NotAnObject as wrong:
        raise _bad(str(wrong)) from None


def got_request(query_string: bytes, text_of: TextOf) -> GraphQLRequest:
    """Of a GET: "variables" and "extensions" are JSON, and an empty "operationName" is none. Raises EdgeRefused."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16
        )
        given: dict[str, Any] = {name: value for name, value in pairs if name in _PARAMETERS}
        if len({name for name, _ in pairs}) != len(pairs):
            raise _bad("the query string gives a name twice")
        for name in ("variables", "extensions"):
            if name in given:
                given[name] = read_object(given[name].encode())
    except NotAnObject:
        raise _bad('"variables" and "extensions" are JSON objects') from None
    except ValueError:  # UnicodeError too
        raise _bad("the query string is not percent-encoded UTF-8") from None
    return request_of(given | {"operationName": given.get("operationName") or None}, text_of)


def request_of(given: Mapping[str, Any], text_of: TextOf) -> GraphQLRequest:
    name = given.get("operationName")
    variables, extensions = given.get("variables"), given.get("extensions")
    if not (name is None or isinstance(name, str)):
        raise _bad('"operationName" is text')
    if not all(one is None or isinstance(one, dict) for one in (variables, extensions)):
        raise _bad('"variables" and "extensions" are objects')
    return GraphQLRequest(text_of(given), variables, name)


def _bad(message: str) -> EdgeRefused:
    return EdgeRefused(400, "BAD_BODY", message)
