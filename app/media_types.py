"""What a client of /graphql sends and takes: Content-Type and Accept, read once for each text of them.

https://graphql.github.io/graphql-over-http/draft/ ("Media Types")
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
EVENTS = "text/event-stream"
TEXTS_KEPT, TEXT_BYTES_MAX = 256, 1_024


@dataclass(frozen=True)
class Accepted:
    """*json*: the media type of the one answer; None for a client that takes none. *events*: it can read a stream."""

    json: str | None
    events: bool


def accepted(headers: Iterable[tuple[bytes, bytes]]) -> Accepted:
    """By Accept. A client that says nothing takes application/json."""
    given = b",".join([value for name, value in headers if name == b"accept"])
    return _accepted(given) if given and len(given) <= TEXT_BYTES_MAX else _ANYTHING


def is_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Content-Type says JSON in UTF-8. A page of another origin cannot send that without asking first (CORS)."""
    given = [value for name, value in headers if name == b"content-type"]
    return len(given) == 1 and (given[0] == b"application/json" or _is_json(given[0][:TEXT_BYTES_MAX]))


@lru_cache(TEXTS_KEPT)
def _accepted(given: bytes) -> Accepted:
    ranges = [_range(one) for one in given.decode("latin-1").lower().split(",")]

    def wanted(media_type: str) -> tuple[float, bool, int]:
        """Quality, whether it is named itself, and how early: the larger, the sooner it is chosen."""
        for pattern in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
            for place, (named, quality) in enumerate(ranges):
                if named == pattern:
                    return quality, pattern == media_type, -place
        return 0.0, False, 0

    json, response = wanted(JSON), wanted(RESPONSE_JSON)
    chosen = RESPONSE_JSON if response[:2] > json[:2] or (response > json and response[1]) else JSON
    events = wanted(EVENTS)
    return Accepted(chosen if max(json, response)[0] > 0 else None, events[1] and events[0] > 0)


def _range(given: str) -> tuple[str, float]:
    """A media range of Accept, and its quality from 0 to 1."""
    named, *parameters = (part.strip() for part in given.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return named, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return named, 0.0
    return named, 1.0


@lru_cache(TEXTS_KEPT)
def _is_json(given: bytes) -> bool:
    named, *parameters = (part.strip() for part in given.decode("latin-1").lower().split(";"))
    said = {
        name.strip(): value.strip().strip('"')
        for name, _, value in (one.partition("=") for one in parameters)
    }
    return named == JSON and said.get("charset", "utf-8") == "utf-8"


_ANYTHING = Accepted(JSON, events=False)
