"""The entries of a section as tables, one for each kind of information, with the columns its readers look for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from tsuzuri.domain.record import Entry
from tsuzuri.domain.rendering.dates import day_in_words, sent_in_words
from tsuzuri.domain.rendering.markup import table
from tsuzuri.domain.results import is_abnormal
from tsuzuri.domain.vocabulary import TERMS, Flag, RecordClass

_MARKS = {Flag.UNINFORMED: "未告知", Flag.UNDELIVERED: "未提供", Flag.LTS: "長期保存"}
_INTERPRETATIONS = {"H": "高値", "HH": "極高値", "L": "低値", "LL": "極低値", "A": "異常", "AA": "極めて異常"}
_INTERPRETATIONS |= {"N": "基準内", "POS": "陽性", "NEG": "陰性", "IND": "判定保留"}
_STATUSES = {
    "active": "継続中",
    "recurrence": "再発",
    "relapse": "再燃",
    "inactive": "非活動",
    "remission": "寛解",
    "resolved": "治癒",
    "on-hold": "保留",
    "completed": "終了",
    "stopped": "中止",
    "cancelled": "取消",
    "revoked": "取消",
    "entered-in-error": "誤登録",
    "superseded": "差替済",
    "registered": "結果待ち",
    "preliminary": "暫定",
    "amended": "修正",
    "corrected": "訂正",
    "draft": "下書き",
    "unknown": "不明",
}
_USUAL = frozenset({"final", "current"})  # said of nearly all results and files: only what differs is told
_VERIFICATIONS = {
    "unconfirmed": "未確定",
    "provisional": "暫定",
    "differential": "鑑別",
    "confirmed": "確定",
    "refuted": "否定",
    "entered-in-error": "誤登録",
}


@dataclass(frozen=True)
class Marked:
    """An entry, and the marks it has now: some may have been set after it was sent."""

    entry: Entry
    flags: tuple[Flag, ...]
    flagged_at: datetime | None  # aware, UTC


Cell = Callable[[Marked], str | None]


def _date(sent: str | None) -> str | None:
    return sent_in_words(sent) if sent else None


def _status(marked: Marked) -> str | None:
    entry = marked.entry
    status = None if entry.status in _USUAL or not entry.status else _STATUSES.get(entry.status, entry.status)
    verification = entry.verification and _VERIFICATIONS.get(entry.verification, entry.verification)
    return "・".join(dict.fromkeys(word for word in (status, verification) if word)) or None


def _result(marked: Marked) -> str | None:
    return marked.entry.value.text if marked.entry.value else None


def _reference_range(marked: Marked) -> str | None:
    told = marked.entry.reference_range
    if told is None:
        return None
    ends = f"{told.low or ''} 〜 {told.high or ''}" if told.low or told.high else None
    return " ".join(part for part in (ends, told.text) if part) or None


def _judged(marked: Marked) -> str | None:
    """ "異常（高値）": whether it is out of its range, and the laboratory's own mark."""
    entry = marked.entry
    own = entry.interpretation and _INTERPRETATIONS.get(entry.interpretation, entry.interpretation)
    abnormal = is_abnormal(entry.value, entry.interpretation, entry.reference_range)
    if abnormal:
        return f"異常（{own}）" if own and own != "異常" else "異常"
    return own


def _marks(marked: Marked) -> str | None:
    """ "未告知（2026年1月2日設定）": who may see a mark has to know since when."""
    since = f"（{day_in_words(marked.flagged_at)}設定）" if marked.flagged_at else ""
    return "・".join(f"{_MARKS[flag]}{since}" for flag in marked.flags) or None


_STATUS, _REMARKS, _NOTED = ("状態", _status), ("備考", lambda m: m.entry.detail), ("区分", _marks)
_RESULTS: tuple[tuple[str, Cell], ...] = (
    ("項目", lambda m: m.entry.name),
    ("結果", _result),
    ("基準範囲", _reference_range),
    ("判定", _judged),
    ("日時", lambda m: _date(m.entry.effective)),
    _STATUS,
    _REMARKS,
    _NOTED,
)
_SENSITIVITIES: tuple[tuple[str, Cell], ...] = (
    ("アレルゲン", lambda m: m.entry.name),
    ("種別", lambda m: TERMS[m.entry.record_class]),
    ("反応", lambda m: m.entry.detail),
    ("発症", lambda m: _date(m.entry.effective)),
    _STATUS,
    _NOTED,
)
_OTHERS: tuple[tuple[str, Cell], ...] = (
    ("名称", lambda m: m.entry.name),
    ("結果", _result),
    ("判定", _judged),
    ("日付", lambda m: _date(m.entry.effective)),
    _STATUS,
    _REMARKS,
    _NOTED,
)
_COLUMNS: dict[RecordClass, tuple[tuple[str, Cell], ...]] = {
    RecordClass.CONDITION: (
        ("傷病名", lambda m: m.entry.name),
        ("発症", lambda m: _date(m.entry.effective)),
        ("終了", lambda m: _date(m.entry.ended)),
        _STATUS,
        _REMARKS,
        _NOTED,
    ),
    RecordClass.DRUG_ALLERGY: _SENSITIVITIES,
    RecordClass.OTHER_ALLERGY: _SENSITIVITIES,
    RecordClass.INFECTION: _RESULTS,
    RecordClass.LAB_RESULT: _RESULTS,
    RecordClass.CHECKUP_REPORT: _RESULTS,
    RecordClass.PRESCRIPTION: (
        ("薬剤", lambda m: m.entry.name),
        ("用法・用量", lambda m: m.entry.detail),
        ("処方日", lambda m: _date(m.entry.effective)),
        _STATUS,
        _NOTED,
    ),
}


def tables(entries: Iterable[Marked]) -> str:
    """One table for each set of columns, in the order in which the entries come; a column nobody fills is left out."""
    grouped: dict[tuple[tuple[str, Cell], ...], list[Marked]] = {}
    for marked in entries:
        grouped.setdefault(_COLUMNS.get(marked.entry.record_class, _OTHERS), []).append(marked)
    return "".join(_table(columns, rows) for columns, rows in grouped.items())


def _table(columns: tuple[tuple[str, Cell], ...], entries: list[Marked]) -> str:
    cells = [[told(marked) or "" for _, told in columns] for marked in entries]
    filled = [place for place in range(len(columns)) if any(row[place] for row in cells)]
    return table([columns[place][0] for place in filled], [[row[place] for place in filled] for row in cells])
