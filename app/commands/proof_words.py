"""What a proof proves, in words; an access as the patient reads it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from tsuzuri.domain.access_words import AccessFacts, words
from tsuzuri.domain.vocabulary import AccessBasis, Language, RecordClass, Role
from tsuzuri.eventlog.proofs.bundles import (
    AccessesProven,
    ConsistencyProven,
    Covered,
    EventProven,
    Proven,
    ProvenAccess,
)
from tsuzuri.eventlog.proofs.whole_log import LogProven

_JAPAN = timezone(timedelta(hours=9))

_SAID = {
    "event": (
        "PROVEN: this stands in the log at part {part}, position {pos}, recorded at {at}, and was not changed since.",
        "証明済み: この記録はログの区画{part}の{pos}番にあり、{at}に記録され、その後変更されていません。",
    ),
    "accesses": (
        "PROVEN: these {count} are all accesses to this record up to {until}. None is missing, none was changed.",
        "証明済み: {until}までのこの記録への閲覧は、次の{count}件がすべてです。欠落も変更もありません。",
    ),
    "none": (
        "PROVEN: nobody has looked at this record up to {until}.",
        "証明済み: {until}まで、この記録は誰にも閲覧されていません。",
    ),
    "consistency": (
        "PROVEN: the log of checkpoint {later} is that of checkpoint {earlier} with {added} events added. Nothing in "
        "it was changed, taken away or put in between.",
        "証明済み: チェックポイント{later}のログは、{earlier}のログに{added}件を加えたものです。"
        "変更・削除・挿入はありません。",
    ),
    "log": (
        "PROVEN: all {count} events of the log up to {until} are as they were signed. None is missing.",
        "証明済み: {until}までのログの{count}件はすべて署名時のままです。欠落はありません。",
    ),
    "behind": (
        "NOT COVERED YET: {count} events behind it; the next checkpoint covers them.",
        "未対象: その後の{count}件は、次のチェックポイントの対象です。",
    ),
    "newer": (
        "What was recorded after that is not in this proof: ask for a new one.",
        "それより後の閲覧はこの証明に含まれません。新しい証明を取得してください。",
    ),
    "signed": (
        "Signed by {origin}, checkpoint {size}{witnesses}.",
        "署名: {origin}、チェックポイント{size}{witnesses}。",
    ),
    "whose": (
        "Whose record: {owners}. Compare it with the id of yours; a proof of somebody else's is as true.",
        "対象の記録: {owners}。ご自身の番号と照合してください。他の方の記録の証明も、証明としては成立します。",
    ),
    "closed": (
        "{at}: that it took place is proven. Its content was erased, or is not in this proof.",
        "{at}: 閲覧があったことは証明されています。内容は消去済みか、この証明に含まれていません。",
    ),
}


def said(proven: Proven | LogProven, language: Language) -> Iterator[str]:
    """Sentences, the most important first."""
    match proven:
        case EventProven():
            event = proven.event
            at = _moment(event.recorded_at)
            yield _say("event", language, part=event.part, pos=event.pos, at=at)
            for section in (proven.told, proven.audit):
                if section is not None:
                    yield json.dumps(section, ensure_ascii=False, indent=2)
            if proven.told is None:
                yield _say("closed", language, at=at)
        case AccessesProven():
            until = _moment(proven.covered.head.at)
            count = len(proven.accesses)
            yield _say("accesses" if count else "none", language, count=count, until=until)
            yield from (f"  {_access(one, language)}" for one in proven.accesses)
            yield _say("whose", language, owners=", ".join(str(one) for one in proven.owners))
            yield _say("newer", language)
        case ConsistencyProven():
            added = proven.events_later - proven.events_earlier
            sizes = {"earlier": proven.earlier.checkpoint.size, "later": proven.later.checkpoint.size}
            yield _say("consistency", language, added=added, **sizes)
        case LogProven():
            until = _moment(proven.covered.head.at)
            yield _say("log", language, count=proven.events, until=until)
            if proven.not_covered_yet:
                yield _say("behind", language, count=proven.not_covered_yet)
    yield _signed(proven.later if isinstance(proven, ConsistencyProven) else proven.covered, language)


def _signed(covered: Covered, language: Language) -> str:
    names = "".join(f", {name}" if language is Language.EN else f"、{name}" for name in covered.witnesses)
    checkpoint = covered.checkpoint
    return _say("signed", language, origin=checkpoint.origin, size=checkpoint.size, witnesses=names)


def _say(what: str, language: Language, **values: Any) -> str:
    return _SAID[what][language is Language.JA].format(**values)


def _access(proven: ProvenAccess, language: Language) -> str:
    at = proven.access.recorded_at
    told = (proven.told or {}).get("told")
    if not isinstance(told, Mapping):
        return _say("closed", language, at=_moment(at))
    try:
        facts = AccessFacts(
            at=at,
            role=Role(told["role"]),
            facility_number=told["facility"],
            facility_name=None,
            bases=[AccessBasis(one) for one in told["bases"]],
            classes_asked=_classes(told["classes_asked"]),
            classes_permitted=_classes(told["classes_permitted"]),
        )
        return f"{words(facts, language)} [{proven.access.event_id}]"
    except (KeyError, TypeError, ValueError):  # sealed by a newer program, or by nobody's friend
        return f"{_moment(at)}: {json.dumps(told, ensure_ascii=False)} [{proven.access.event_id}]"


def _classes(names: Sequence[str]) -> list[RecordClass]:
    return [RecordClass(name) for name in names]


def _moment(at: datetime) -> str:
    """In Japan."""
    return at.astimezone(_JAPAN).strftime("%Y-%m-%d %H:%M:%S %z")
