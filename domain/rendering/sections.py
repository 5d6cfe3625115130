"""The sections of a document in the order in which clinicians read them, and what each is called.

Source of the codes: document-section of JP-CLINS and of the older guides of each document, section-code of the
check-up guide. A code's system changed between guides; the codes did not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tsuzuri.domain.fhir.elements import Element, codings
from tsuzuri.domain.rendering.lenient import if_readable
from tsuzuri.domain.vocabulary import DocumentKind

HEADINGS = {
    "200": "CDA文書",
    "210": "添付情報",
    "220": "備考・連絡情報",
    "230": "PDF",
    "300": "構造情報",
    "312": "入院理由",
    "322": "入院時詳細",
    "324": "退院時詳細",
    "330": "臨床経過",
    "333": "入院中経過",
    "340": "傷病名・主訴",
    "342": "入院時診断",
    "344": "退院時診断",
    "352": "主訴",
    "360": "現病歴",
    "362": "現病歴",
    "370": "既往歴",
    "372": "既往歴",
    "410": "事前指示",
    "420": "診療方針指示",
    "422": "計画サマリー",
    "424": "退院時方針指示",
    "430": "投薬指示",
    "432": "入院時服薬",
    "444": "退院時投薬指示",
    "510": "アレルギー・不耐性反応",
    "520": "感染症情報",
    "530": "予防接種歴",
    "550": "家族歴",
    "552": "家族歴",
    "610": "身体所見",
    "612": "入院時身体所見",
    "614": "退院時身体所見",
    "620": "検査結果",
    "623": "入院中検査結果",
    "640": "社会歴・生活習慣",
    "642": "社会歴・生活習慣",
    "713": "入院中治療",
    "720": "処置",
    "730": "手術",
    "740": "輸血歴",
    "810": "医療機器",
    "830": "臨床研究参加",
    "910": "紹介先",
    "920": "紹介元",
    "950": "紹介目的",
    "01011": "特定健診 検査結果",
    "01012": "特定健診 問診結果",
    "01021": "広域連合保健事業 検査結果",
    "01022": "広域連合保健事業 問診結果",
    "01031": "事業者健診 検査結果",
    "01032": "事業者健診 問診結果",
    "01041": "学校職員健診 検査結果",
    "01042": "学校職員健診 問診結果",
}

ORDERS: dict[DocumentKind, tuple[str, ...]] = {
    DocumentKind.REFERRAL: tuple(
        "910 920 950 340 360 370 510 520 430 620 610 330 720 730 740 530 550 640 420 410 810 830 220 "
        "200 230 210".split()
    ),
    DocumentKind.DISCHARGE_SUMMARY: tuple(
        "312 352 322 342 340 344 324 510 520 360 362 370 372 432 333 330 713 720 730 740 623 620 612 610 614 "
        "444 430 424 420 530 550 552 640 642 410 810 830 220 200 230 210".split()
    ),
    DocumentKind.CHECKUP_REPORT: tuple("01011 01012 01021 01022 01031 01032 01041 01042".split()),
    DocumentKind.PATIENT_SUMMARY: ("422",),
}
"""What comes in a code that is not listed follows, in the sender's order."""

_CONTAINER = "300"  # 構造情報: holds the others, and nothing of its own


@dataclass(frozen=True)
class Section:
    """One section with those inside of it set beside it."""

    code: str | None
    title: str | None  # as sent: the sender's own words
    div: str | None  # the narrative, as sent
    entries: tuple[Element, ...]  # references

    @property
    def heading(self) -> str | None:
        """Our word for it; None where only the sender's title says what it is."""
        return HEADINGS.get(self.code or "")


def in_clinical_order(kind: DocumentKind, composition: Element) -> list[Section]:
    order = {code: place for place, code in enumerate(ORDERS.get(kind, ()))}
    return sorted(_sections(composition), key=lambda section: order.get(section.code or "", len(order)))


def _sections(holder: Element) -> Iterator[Section]:
    for section in if_readable(holder.elements, "section") or ():
        own = Section(
            code=if_readable(_code, section),
            title=if_readable(section.text, "title"),
            div=if_readable(_div, section),
            entries=tuple(if_readable(section.elements, "entry") or ()),
        )
        if own.code != _CONTAINER or own.div or own.entries:
            yield own
        yield from _sections(section)


def _code(section: Element) -> str | None:
    """Of several, the one that we have a word for."""
    told = [coding.code for coding in codings(section.element("code"))]
    return next((code for code in told if code in HEADINGS), next(iter(told), None))


def _div(section: Element) -> str | None:
    text = section.element("text")
    return text.text("div") if text else None
