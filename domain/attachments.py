"""An attached file as it leaves: under which media type a reader's program may take it."""

from dataclasses import dataclass

UNKNOWN = "application/octet-stream"

_AS_SENT = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif", "application/dicom"})
_AS_TEXT = frozenset({"text/plain", "text/xml", "application/xml"})  # XML may carry scripts and style sheets
_CHARSETS = frozenset({"utf-8", "shift_jis", "euc-jp", "iso-2022-jp"})


@dataclass(frozen=True)
class AttachedFile:
    """The bytes of an attachment as they were received, and their media type as it is told."""

    body: bytes
    media_type: str


def media_type(sent: str | None) -> str:
    """What is told of a file whose sender calls it *sent*: of the listed types, or nothing at all."""
    kind, *parameters = (part.strip().lower() for part in (sent or "").split(";"))
    if kind in _AS_SENT:
        return kind
    if kind not in _AS_TEXT:
        return UNKNOWN
    said = next((p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")), "")
    return f"text/plain; charset={said if said in _CHARSETS else 'utf-8'}"
