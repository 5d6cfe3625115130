"""Under which media type a file leaves: what a browser could run is never told as what it is."""

import pytest

from tsuzuri.domain.attachments import media_type


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("application/pdf", "application/pdf"),
        (" Image/PNG ", "image/png"),
        ("application/dicom", "application/dicom"),
        ("text/plain", "text/plain; charset=utf-8"),
        ('text/plain; charset="Shift_JIS"', "text/plain; charset=shift_jis"),
        ("text/plain; charset=utf-7", "text/plain; charset=utf-8"),
        ("application/xml", "text/plain; charset=utf-8"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/pdf\r\nSet-Cookie: a=b", "application/octet-stream"),
        ("", "application/octet-stream"),
        (None, "application/octet-stream"),
    ],
)
def test_of_the_listed_types_or_of_none(sent: str | None, told: str) -> None:
    assert media_type(sent) == told
