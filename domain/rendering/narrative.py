"""The sender's narrative (FHIR Narrative.div, XHTML) reduced to paragraphs, lists and tables.

Nothing of it is passed on: what comes out is built anew of the elements listed here, without attributes but the
spans of table cells, and of escaped text. The tags are found by our own reading and not by `html.parser`, which
takes minutes over some hundred kilobytes of tags that never end; here each character is looked at once.
"""

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape

from tsuzuri.domain.rendering.markup import plain

DEPTH_MAX = 24  # elements within elements; deeper ones lose their tags and keep their text

_KEPT = frozenset(
    "div p br hr ul ol li dl dt dd table caption thead tbody tfoot tr th td b strong i em u sub sup pre "
    "blockquote".split()
)
_BECOMES = {name: name for name in _KEPT} | {f"h{level}": "h4" for level in range(1, 7)}
_VOID = frozenset({"br", "hr"})
_CELLS = frozenset({"td", "th"})
_LEFT_OUT = {
    name: re.compile(f"</{name}", re.ASCII | re.IGNORECASE)
    for name in "script style head title template iframe object svg math noscript textarea select canvas".split()
}
"""Elements whose text is not for readers: they go with all that is in them."""
_CDATA = "<![CDATA["
_OPENING = re.compile(r"<[a-z/!?]", re.ASCII | re.IGNORECASE)  # else it is a sign: "CRP <0.1"
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)(?![^\s/])", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(r"\s(colspan|rowspan)\s*=\s*[\"']?([1-9][0-9]?)(?=[\"'\s/>])", re.ASCII | re.IGNORECASE)


def narrative(div: str) -> str:
    """Safe and balanced markup of one narrative; empty when it shows no text."""
    source, rebuilt = _Source(div), _Rebuilt()
    for is_tag, piece in source.pieces():
        if not is_tag:
            rebuilt.text(piece)
        elif tag := _TAG.match(piece):
            closes, name = bool(tag[1]), tag[2].lower()
            closed_at_once = piece.endswith("/")
            if name in _LEFT_OUT and not closes and not closed_at_once:
                source.skip_to_end_of(name)
            elif (becomes := _BECOMES.get(name)) and closes:
                rebuilt.end(becomes)
            elif becomes:
                rebuilt.start(becomes, piece)
                if closed_at_once and becomes not in _VOID:
                    rebuilt.end(becomes)
    return rebuilt.finished()


class _Source:
    """What was sent, cut into tags and texts."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._absent: set[str] = set()  # what does not come any more: never looked for twice

    def pieces(self) -> Iterator[tuple[bool, str]]:
        """Tags (True), from "<" up to but without ">", and the texts between them, unescaped."""
        while self._at < len(self._source):
            begin = self._at
            if self._source[begin] != "<":
                end = self._source.find("<", begin)
                self._at = len(self._source) if end < 0 else end
                yield False, unescape(self._source[begin : self._at])
            elif self._source.startswith("<!--", begin) and self._pass("-->"):
                pass
            elif self._source.startswith(_CDATA, begin) and self._pass("]]>"):
                yield False, self._source[begin + len(_CDATA) : self._at - 3]
            elif _OPENING.match(self._source, begin) and self._pass(">"):
                yield True, self._source[begin : self._at - 1]
            else:
                self._at = begin + 1
                yield False, "<"

    def skip_to_end_of(self, name: str) -> None:
        """Go to where an element ends. One that never ends loses its tag only: clinical text may follow."""
        if name in self._absent:
            return
        end = _LEFT_OUT[name].search(self._source, self._at)
        if end is None:
            self._absent.add(name)
        else:
            self._at = end.start()

    def _pass(self, closing: str) -> bool:
        if closing in self._absent:
            return False
        end = self._source.find(closing, self._at)
        if end < 0:
            self._absent.add(closing)
            return False
        self._at = end + len(closing)
        return True


class _Rebuilt:
    """Markup made anew, of listed elements, each of which ends."""

    def __init__(self) -> None:
        self._made: list[str] = []
        self._open: list[str] = []
        self._counted: Counter[str] = Counter()  # of the open ones, by name
        self._passed_over: Counter[str] = Counter()  # opened too deep, by name
        self._shows_text = False

    def text(self, text: str) -> None:
        self._made.append(plain(text))
        self._shows_text = self._shows_text or not text.isspace()

    def start(self, name: str, tag: str) -> None:
        if name in _VOID:
            self._made.append(f"<{name}>")
        elif len(self._open) >= DEPTH_MAX:
            self._passed_over[name] += 1
        else:
            spans = {key.lower(): cells for key, cells in _SPAN.findall(tag)} if name in _CELLS else {}
            told = "".join(f' {key}="{cells}"' for key, cells in spans.items())
            self._made.append(f"<{name}{told}>")
            self._open.append(name)
            self._counted[name] += 1

    def end(self, name: str) -> None:
        """The innermost open element of that name, and those inside of it that nobody ended."""
        if self._passed_over[name]:
            self._passed_over[name] -= 1
        elif self._counted[name]:
            while self._close() != name:
                pass

    def finished(self) -> str:
        while self._open:
            self._close()
        return "".join(self._made) if self._shows_text else ""

    def _close(self) -> str:
        name = self._open.pop()
        self._counted[name] -= 1
        self._made.append(f"</{name}>")
        return name
