"""閲覧履歴: one access as a plain sentence, for the patient. Made of what she may know of it, and of nothing else.

It speaks of 本人, "the patient", so that it is right for who reads it for her.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from tsuzuri.domain.vocabulary import TERMS, AccessBasis, Language, RecordClass, Role

_JAPAN = timezone(timedelta(hours=9))
_MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True, kw_only=True)
class AccessFacts:
    """What a sentence is made of."""

    at: datetime  # aware
    role: Role
    facility_number: str | None  # none of the patient herself, of who stands for her, and of auditors
    facility_name: str | None  # none of one that is not listed
    bases: Sequence[AccessBasis]  # none: it was refused
    classes_asked: Sequence[RecordClass]
    classes_permitted: Sequence[RecordClass]  # none: nothing of the record, but what she asked of facilities
    of_trail: bool = False  # not the record was looked at, but who had looked at it


_ROLES: Mapping[Role, tuple[str, str]] = {
    Role.CLINICIAN: ("医師または歯科医師", "a doctor or dentist"),
    Role.PHARMACIST: ("薬剤師", "a pharmacist"),
    Role.FACILITY_ADMIN: ("管理者", "an administrator"),
    Role.PATIENT: ("本人", "the patient"),
    Role.AUDITOR: ("監査担当者", "an auditor"),
    Role.OPERATOR: ("運営主体の担当者", "an operator of the service"),
    Role.SYSTEM: ("情報システム", "a computer system"),
}
_PROXY = ("代理人", "a person who stands for the patient")

_BASES: Mapping[AccessBasis, tuple[str, str]] = {
    AccessBasis.CONSENT: ("本人の同意にもとづいて", "with the patient's consent"),
    AccessBasis.REFERRAL: ("紹介を受けた医療機関として", "as a referral was addressed to it"),
    AccessBasis.OWN_FACILITY: ("自ら登録した記録について", "in what it had registered itself"),
    AccessBasis.EMERGENCY: (
        "救急のため、本人の同意によらずに",
        "in an emergency, without the patient's consent",
    ),
    AccessBasis.DISASTER: (
        "災害のため、本人の同意によらずに",
        "in a disaster, without the patient's consent",
    ),
    AccessBasis.SELF: ("自分の記録として", "as the record is the patient's own"),
    AccessBasis.PROXY: ("本人に代わって", "on the patient's behalf"),
    AccessBasis.AUDIT: ("監査のため", "for an audit"),
}

_BESIDE_RECORD: Mapping[bool, tuple[str, str]] = {
    True: ("閲覧履歴", "at the list of who had read the record,"),
    False: ("訂正や利用停止などの請求", "at requests for correction,"),
}
"""Whether it is the trail that was looked at → what it is called."""

_CLASSES: Mapping[RecordClass, str] = {
    RecordClass.CONDITION: "diagnoses",
    RecordClass.DRUG_ALLERGY: "drug allergies",
    RecordClass.OTHER_ALLERGY: "other allergies",
    RecordClass.INFECTION: "infections",
    RecordClass.LAB_RESULT: "laboratory results",
    RecordClass.PRESCRIPTION: "prescriptions",
    RecordClass.REFERRAL: "referrals",
    RecordClass.DISCHARGE_SUMMARY: "discharge summaries",
    RecordClass.CHECKUP_REPORT: "check-up reports",
    RecordClass.PATIENT_SUMMARY: "patient summaries",
}


def words(facts: AccessFacts, language: Language) -> str:
    """One sentence. Times are those of Japan."""
    return _japanese(facts) if language is Language.JA else _english(facts)


def _japanese(facts: AccessFacts) -> str:
    at = facts.at.astimezone(_JAPAN)
    when = f"{at.year}年{at.month}月{at.day}日{at.hour}時{at.minute:02}分"
    who = _role(facts)[0]
    if facts.facility_number is not None:
        who = f"{facts.facility_name or f'医療機関（番号{facts.facility_number}）'}の{who}"
    asked = "、".join(TERMS[one] for one in facts.classes_asked) or "記録"
    permitted = "すべて" if _all(facts) else "、".join(TERMS[one] for one in facts.classes_permitted)
    if not facts.bases:
        return f"{when}、{who}が{asked}を見ようとしましたが、認められませんでした。"
    what = asked if facts.classes_permitted else _BESIDE_RECORD[facts.of_trail][0]
    why = "、".join(_BASES[basis][0] for basis in facts.bases)
    seen = f"（見ることができた種類：{permitted}）" if permitted else ""
    return f"{when}、{who}が、{why}、{what}を調べました{seen}。"


def _english(facts: AccessFacts) -> str:
    at = facts.at.astimezone(_JAPAN)
    when = f"On {at.day} {_MONTHS[at.month - 1]} {at.year} at {at.hour}:{at.minute:02} (Japan time)"
    who = _role(facts)[1]
    if facts.facility_number is not None:
        who = f"{who} at {facts.facility_name or f'facility {facts.facility_number}'}"
    asked = _listed([_CLASSES[one] for one in facts.classes_asked]) or "the record"
    permitted = "all" if _all(facts) else _listed([_CLASSES[one] for one in facts.classes_permitted])
    if not facts.bases:
        return f"{when}, {who} asked for {asked} and was refused."
    what = f"for {asked}" if facts.classes_permitted else _BESIDE_RECORD[facts.of_trail][1]
    why = " and ".join(_BASES[basis][1] for basis in facts.bases)
    seen = f" (could be seen: {permitted})" if permitted else ""
    return f"{when}, {who} looked {what} {why}{seen}."


def _role(facts: AccessFacts) -> tuple[str, str]:
    return _PROXY if AccessBasis.PROXY in facts.bases else _ROLES[facts.role]


def _all(facts: AccessFacts) -> bool:
    return set(facts.classes_permitted) == set(RecordClass)


def _listed(several: Sequence[str]) -> str:
    """a; a and b; a, b and c."""
    *first, last = several or [""]
    return f"{', '.join(first)} and {last}" if first else last
