"""A received document as one page of HTML: head, sections in clinical order, foot.

The page is the same for everybody who may see the same: it tells no name of the reader and no time of reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tsuzuri.domain.fhir.elements import Element
from tsuzuri.domain.fhir.people import kanji_and_kana
from tsuzuri.domain.fhir.received_document import ReceivedDocument
from tsuzuri.domain.rendering.dates import in_words, sent_in_words
from tsuzuri.domain.rendering.entries import Marked, tables
from tsuzuri.domain.rendering.lenient import if_readable
from tsuzuri.domain.rendering.markup import element, lines, pairs, plain
from tsuzuri.domain.rendering.narrative import narrative
from tsuzuri.domain.rendering.others import fact, party, span
from tsuzuri.domain.rendering.sections import Section, in_clinical_order
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, TERMS, DocumentKind, Flag

_STYLE = (
    "body{font-family:sans-serif;line-height:1.6;max-width:60em;margin:2em auto;padding:0 1em;color:#111}"
    "h1{font-size:1.5em}h2{font-size:1.15em;border-bottom:1px solid #888}h2,h4{break-after:avoid}"
    "table{border-collapse:collapse;margin:.5em 0}th,td{border:1px solid #999;padding:.2em .6em;text-align:left;"
    "vertical-align:top}tr{break-inside:avoid}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em}"
    "dd{margin:0}.words{overflow-wrap:anywhere}footer{margin-top:2em;border-top:1px solid #888;font-size:.85em}"
    "@media print{body{max-width:none;margin:0;font-size:10pt}}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # should anything slip through: it neither runs nor fetches
_SEXES = {"male": "男", "female": "女", "other": "その他", "unknown": "不明"}
_UNSORTED = "その他の項目"


@dataclass(frozen=True)
class Marks:
    """The marks of an entry as they are now, and when they were set (aware, UTC)."""

    flags: tuple[Flag, ...] = ()
    flagged_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What of a document one reader may see now, and what the service knows of its registration.

    words: the sender's own words too, and what is no entry. False for the patient herself, always, and for whoever may
    not see something in the document: free text may name it.
    """

    entries: Mapping[int, Marks]  # by place in Bundle.entry; what is not here is not shown
    words: bool
    registered_at: datetime  # aware, UTC
    registered_by: str  # the facility, by name or number


def render(received: ReceivedDocument, shown: Shown) -> str:
    """The whole page. Every entry of `shown` is on it at least once."""
    document = received.document
    page = _Page(received, shown)
    sections = [page.section(one) for one in in_clinical_order(document.kind, received.composition)]
    body = (
        _head(received),
        element("main", *sections, page.rest()),
        _foot(shown),
    )
    title = plain(document.title)
    return (
        '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )


class _Page:
    """The sections of one page, and which entries they have shown so far."""

    def __init__(self, received: ReceivedDocument, shown: Shown) -> None:
        self._received = received
        self._shown = shown
        self._told: set[int] = set()  # entries, by place
        self._named: set[str] = set()  # resources that a section names

    def section(self, section: Section) -> str:
        """Empty when there is nothing in it to show: an empty heading would tell that something is hidden."""
        references, composition = self._received.references, self._received.composition
        named = [r for e in section.entries if (r := if_readable(references.find, e, composition))]
        self._named.update(one.place for one in named)
        inner = (
            lines([line for one in named if (line := if_readable(party, one, references))])
            + self._entries(
                list(dict.fromkeys(p for r in named if (p := self._received.place_of(r)) is not None))
            )
            + self._facts(named)
            + self._narrative(section)
        )
        return _section(section.heading or (self._shown.words and section.title) or _UNSORTED, inner)

    def rest(self) -> str:
        """What no section has named."""
        entries = self._entries([p for p in sorted(self._shown.entries) if p not in self._told])
        facts = self._facts([one for one in self._received.resources if one.place not in self._named])
        return _section(_UNSORTED, entries + facts)

    def _entries(self, places: list[int]) -> str:
        marked = []
        for place in places:
            marks = self._shown.entries.get(place)
            if marks is not None and (entry := self._received.entry(place)):
                marked.append(Marked(entry, marks.flags, marks.flagged_at))
                self._told.add(place)
        return tables(marked)

    def _facts(self, resources: list[Element]) -> str:
        """What the index takes no entry of, so that nothing decides on it by itself."""
        return lines(
            [line for one in resources if (line := if_readable(fact, one))] if self._shown.words else []
        )

    def _narrative(self, section: Section) -> str:
        words = narrative(section.div) if section.div and self._shown.words else ""
        return element("div", words, of="words") if words else ""


def _section(heading: str, inner: str) -> str:
    return element("section", element("h2", plain(heading)), inner) if inner else ""


def _head(received: ReceivedDocument) -> str:
    document, patient = received.document, received.patient
    name, kana = kanji_and_kana(patient)
    birth, sex = patient.text("birthDate"), patient.text("gender")
    sender = "紹介元" if document.kind is DocumentKind.REFERRAL else "医療機関"
    return element(
        "header",
        element("h1", plain(document.title)),
        pairs(
            [
                ("文書種別", TERMS[DOCUMENT_CLASSES[document.kind]]),
                ("作成日時", in_words(document.dated) if document.dated else None),
                ("氏名", f"{name}（{kana}）" if name and kana else name or kana),
                ("生年月日", sent_in_words(birth) if birth else None),
                ("性別", _SEXES.get(sex or "")),
                (sender, _facility(document.facility_name, document.facility, document.department)),
                ("紹介先", _facility(document.recipient_name, document.recipient)),
                ("作成者", document.author),
                ("対象期間", if_readable(_period, received.composition)),
            ]
        ),
    )


def _facility(name: str | None, number: str | None, department: str | None = None) -> str | None:
    if number is None:
        return None
    named = f"{name}（{number}）" if name else number
    return f"{named}　{department}" if department else named


def _period(composition: Element) -> str | None:
    """The period of care that the document tells of."""
    periods = (event.element("period") for event in composition.elements("event"))
    return next((told for period in periods if period and (told := span(period))), None)


def _foot(shown: Shown) -> str:
    """The same words for every reader: what depends on the reader must not be told by a difference here."""
    return element(
        "footer",
        element("p", f"{in_words(shown.registered_at)} に {plain(shown.registered_by)} が登録しました。"),
        element(
            "p",
            "この表示は、登録された文書を読みやすく整えたものです。原本は受け取ったままの形で保管しています。"
            "閲覧する人に許された範囲だけを示すため、原本のすべてが現れるとは限りません。",
        ),
    )
