"""HTML as text: everything that was sent is escaped here, and nowhere else."""

import re
from html import escape

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, what turns the direction of writing (12 would read 21), and halves of characters."""


def plain(text: str) -> str:
    """What was sent, as text of an element."""
    return escape(_UNSEEN.sub("", text))


def element(name: str, *inner: str, of: str | None = None) -> str:
    """*inner* is markup already; *of* is a class of our style sheet."""
    named = f' class="{of}"' if of else ""
    return f"<{name}{named}>{''.join(inner)}</{name}>"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Of plain text."""
    head = element("tr", *(element("th", plain(heading)) for heading in headings))
    body = (element("tr", *(element("td", plain(cell)) for cell in row)) for row in rows)
    return element("table", element("thead", head), element("tbody", *body))


def pairs(told: list[tuple[str, str | None]]) -> str:
    """Terms and what is said of them, of plain text; what nobody said is left out."""
    return element(
        "dl", *(element("dt", plain(term)) + element("dd", plain(text)) for term, text in told if text)
    )


def lines(texts: list[str]) -> str:
    """A list of plain texts; nothing when there are none."""
    return element("ul", *(element("li", plain(text)) for text in texts)) if texts else ""
