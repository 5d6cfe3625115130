"""The trail as CSV for spreadsheets, as NDJSON, and as NDJSON of FHIR AuditEvents: line by line, in UTF-8."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

import orjson

from tsuzuri.app.audit_export.facts import NAMES, facts
from tsuzuri.app.audit_export.fhir_audit_events import audit_events
from tsuzuri.graphql.seals import Seals
from tsuzuri.projections.audit_trail import AccessRow

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet may take a cell for a formula by: full-width signs too."""
_BYTE_ORDER_MARK = "\ufeff"  # else a spreadsheet in Japan takes the file for Shift_JIS


class ExportFormat(StrEnum):
    """How the trail is written."""

    CSV = "csv"
    NDJSON = "ndjson"
    FHIR = "fhir"


def head(form: ExportFormat) -> bytes:
    """What stands in front of the first access."""
    return (_BYTE_ORDER_MARK + _line(NAMES)).encode() if form is ExportFormat.CSV else b""


def lines(form: ExportFormat, rows: Iterable[AccessRow], seals: Seals, address: str) -> bytes:
    """*address*: of the service, as others know it."""
    return b"".join(_WRITERS[form](row, seals, address) for row in rows)


def _csv(row: AccessRow, seals: Seals, address: str) -> bytes:
    told = facts(row, seals)
    return _line([_cell(told[name]) for name in NAMES]).encode()


def _ndjson(row: AccessRow, seals: Seals, address: str) -> bytes:
    return orjson.dumps(facts(row, seals)) + b"\n"


def _fhir(row: AccessRow, seals: Seals, address: str) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in audit_events(row, facts(row, seals), address))


_WRITERS: Mapping[ExportFormat, Callable[[AccessRow, Seals, str], bytes]] = {
    ExportFormat.CSV: _csv,
    ExportFormat.NDJSON: _ndjson,
    ExportFormat.FHIR: _fhir,
}


def _cell(value: Any) -> str:
    """Text that a spreadsheet shows as it stands; several values with blanks between them."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            text = " ".join(map(str, value))
        case dict():
            text = " ".join(f"{name}={count}" for name, count in value.items())
        case _:
            text = str(value)
    return f"'{text}" if text.lstrip(" \u3000").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return written.getvalue()
