"""The words of the field, one for one thing, with the Japanese term beside each."""

from collections.abc import Container
from enum import IntEnum, StrEnum


class RecordClass(StrEnum):
    """What a piece of the record is about. A consent lists the classes it covers."""

    CONDITION = "CONDITION"
    DRUG_ALLERGY = "DRUG_ALLERGY"
    OTHER_ALLERGY = "OTHER_ALLERGY"
    INFECTION = "INFECTION"
    LAB_RESULT = "LAB_RESULT"
    PRESCRIPTION = "PRESCRIPTION"
    REFERRAL = "REFERRAL"
    DISCHARGE_SUMMARY = "DISCHARGE_SUMMARY"
    CHECKUP_REPORT = "CHECKUP_REPORT"
    PATIENT_SUMMARY = "PATIENT_SUMMARY"


_IN_ORDER = tuple(RecordClass)


def in_order(held: Container[RecordClass | None]) -> tuple[RecordClass, ...]:
    """Those of the classes that are held, in the order in which they stand above."""
    return tuple([record_class for record_class in _IN_ORDER if record_class in held])


SIX_INFORMATIONS = (
    RecordClass.CONDITION,
    RecordClass.DRUG_ALLERGY,
    RecordClass.OTHER_ALLERGY,
    RecordClass.INFECTION,
    RecordClass.LAB_RESULT,
    RecordClass.PRESCRIPTION,
)
"""6情報: the classes that are shared as information, whichever Bundle brought them."""

RESULT_CLASSES = (RecordClass.LAB_RESULT, RecordClass.INFECTION, RecordClass.CHECKUP_REPORT)
"""The classes whose entries may be results of tests, which a trend is made of."""

TERMS: dict[RecordClass, str] = {
    RecordClass.CONDITION: "傷病名",
    RecordClass.DRUG_ALLERGY: "薬剤アレルギー等",
    RecordClass.OTHER_ALLERGY: "その他アレルギー等",
    RecordClass.INFECTION: "感染症",
    RecordClass.LAB_RESULT: "検査",
    RecordClass.PRESCRIPTION: "処方",
    RecordClass.REFERRAL: "診療情報提供書",
    RecordClass.DISCHARGE_SUMMARY: "退院時サマリー",
    RecordClass.CHECKUP_REPORT: "健康診断結果報告書",
    RecordClass.PATIENT_SUMMARY: "患者サマリー",
}


class DocumentKind(StrEnum):
    """文書種別: what a registered Bundle is. The last four are FHIR collections of one resource type."""

    REFERRAL = "REFERRAL"
    DISCHARGE_SUMMARY = "DISCHARGE_SUMMARY"
    CHECKUP_REPORT = "CHECKUP_REPORT"
    PATIENT_SUMMARY = "PATIENT_SUMMARY"
    CONDITIONS = "CONDITIONS"
    ALLERGIES = "ALLERGIES"
    OBSERVATIONS = "OBSERVATIONS"
    PRESCRIPTIONS = "PRESCRIPTIONS"


DOCUMENT_CLASSES: dict[DocumentKind, RecordClass] = {
    DocumentKind.REFERRAL: RecordClass.REFERRAL,
    DocumentKind.DISCHARGE_SUMMARY: RecordClass.DISCHARGE_SUMMARY,
    DocumentKind.CHECKUP_REPORT: RecordClass.CHECKUP_REPORT,
    DocumentKind.PATIENT_SUMMARY: RecordClass.PATIENT_SUMMARY,
}
"""The class a document itself belongs to. A collection has none: only what it carries has a class."""


REPLACEMENT_SETS: dict[DocumentKind, tuple[RecordClass, ...]] = {
    DocumentKind.CONDITIONS: (RecordClass.CONDITION,),
    DocumentKind.ALLERGIES: (RecordClass.DRUG_ALLERGY, RecordClass.OTHER_ALLERGY),
}
"""Kinds that tell all there is of their classes at one facility: what the newest of them does not name has ended."""


class Flag(StrEnum):
    """Marks of `meta.tag`, system JP_ehrshrs_indication (DOMAIN: retention, deletion, flags)."""

    LTS = "LTS"  # 長期保存: kept beyond the ordinary period
    UNINFORMED = "UNINFORMED"  # 未告知: the patient has not been told; hidden from her
    UNDELIVERED = "UNDELIVERED"  # 未提供: not given out; hidden from her and from other facilities


HIDING_FLAGS = frozenset({Flag.UNINFORMED, Flag.UNDELIVERED})


class FacilityKind(StrEnum):
    """医療機関の種別: what a facility is."""

    HOSPITAL = "HOSPITAL"
    CLINIC = "CLINIC"
    DENTAL = "DENTAL"
    PHARMACY = "PHARMACY"
    CHECKUP_CENTRE = "CHECKUP_CENTRE"


FACILITY_TERMS: dict[FacilityKind, str] = {
    FacilityKind.HOSPITAL: "病院",
    FacilityKind.CLINIC: "診療所",
    FacilityKind.DENTAL: "歯科診療所",
    FacilityKind.PHARMACY: "薬局",
    FacilityKind.CHECKUP_CENTRE: "健診機関",
}


class Role(StrEnum):
    """What a caller may be. A facility's own system (SYSTEM) may write."""

    CLINICIAN = "CLINICIAN"
    PHARMACIST = "PHARMACIST"
    FACILITY_ADMIN = "FACILITY_ADMIN"
    PATIENT = "PATIENT"
    AUDITOR = "AUDITOR"
    OPERATOR = "OPERATOR"
    SYSTEM = "SYSTEM"


class PurposeOfUse(StrEnum):
    """HL7 v3 PurposeOfUse codes."""

    TREAT = "TREAT"  # treatment
    ETREAT = "ETREAT"  # emergency treatment
    BTG = "BTG"  # break the glass
    DISASTER = "DISASTER"  # care of the people of a disaster area
    HPAYMT = "HPAYMT"  # healthcare payment
    HOPERAT = "HOPERAT"  # healthcare operations
    PATRQT = "PATRQT"  # the patient asks
    FAMRQT = "FAMRQT"  # the family asks
    HSYSADMIN = "HSYSADMIN"  # administration of the health system


class ConsentChange(StrEnum):
    """What a patient may do to her consents."""

    GRANT = "GRANT"
    WITHDRAW = "WITHDRAW"
    DENY = "DENY"


class ProxyRelation(StrEnum):
    """代理人: what somebody who stands for the patient is to her."""

    PARENT = "PARENT"  # 親権者
    GUARDIAN = "GUARDIAN"  # 後見人
    DELEGATE = "DELEGATE"  # 任意代理人: whom the patient chose


class CorrectionKind(StrEnum):
    """What a patient may ask of a facility about her record (個人情報保護法: 訂正等, 利用停止等)."""

    CORRECTION = "CORRECTION"  # 訂正・追加・削除
    STOP_USE = "STOP_USE"  # 利用停止・消去
    STOP_PROVISION = "STOP_PROVISION"  # 第三者提供の停止


class CorrectionOutcome(StrEnum):
    """What a facility answers to that."""

    ACCEPTED = "ACCEPTED"  # 応じる
    PARTLY = "PARTLY"  # 一部に応じる
    DECLINED = "DECLINED"  # 応じない


class AccessBasis(StrEnum):
    """Why a read was permitted."""

    CONSENT = "CONSENT"
    REFERRAL = "REFERRAL"
    OWN_FACILITY = "OWN_FACILITY"
    EMERGENCY = "EMERGENCY"
    DISASTER = "DISASTER"
    SELF = "SELF"
    PROXY = "PROXY"
    AUDIT = "AUDIT"


class RefusalReason(StrEnum):
    """Why a read was refused: only what the caller already knows may be told apart."""

    NOT_AVAILABLE = "NOT_AVAILABLE"  # unknown patient, no consent, withdrawn, denied: one answer for all
    PURPOSE_NOT_PERMITTED = "PURPOSE_NOT_PERMITTED"
    ROLE_NOT_PERMITTED = "ROLE_NOT_PERMITTED"
    SCOPE_NOT_PERMITTED = "SCOPE_NOT_PERMITTED"  # the token lets nothing of a record be read
    EMERGENCY_NOT_PERMITTED = "EMERGENCY_NOT_PERMITTED"  # the facility or the person has no emergency right
    EMERGENCY_NOT_DECLARED = "EMERGENCY_NOT_DECLARED"  # this person has none in force here for this patient
    DISASTER_NOT_OPEN = "DISASTER_NOT_OPEN"  # no window is open where the facility lies


class IdentifiedBy(StrEnum):
    """How a caller named the patient of a read."""

    ID = "ID"  # ours: an earlier answer gave it out, or her own token
    INSURED_PERSON = "INSURED_PERSON"  # 被保険者番号
    PUBLIC_ASSISTANCE = "PUBLIC_ASSISTANCE"  # 公費負担者番号・受給者番号
    LOCAL = "LOCAL"  # the facility's own number
    DEMOGRAPHICS = "DEMOGRAPHICS"  # 4情報: by name, birth date and sex, without a card


class ConsentState(StrEnum):
    """同意の状態: whether what a read rested on was the patient's consent."""

    GIVEN = "GIVEN"  # 同意あり: to the facility, or of the letter that is addressed to it
    NOT_NEEDED = "NOT_NEEDED"  # 同意不要: herself, who stands for her, who registered it, who audits
    WITHOUT = "WITHOUT"  # 同意なし: an emergency or a disaster
    NONE = "NONE"  # nothing let it be seen


class ReviewFinding(StrEnum):
    """What a reviewer finds of reads."""

    JUSTIFIED = "JUSTIFIED"  # 正当
    NOT_JUSTIFIED = "NOT_JUSTIFIED"  # 不当
    UNCLEAR = "UNCLEAR"  # 不明


class Language(StrEnum):
    """What plain sentences are written in."""

    JA = "JA"
    EN = "EN"


class UnmatchedReason(StrEnum):
    """Why a person must look at whom a Bundle was taken to be about."""

    BRANCH_DIFFERS = (
        "BRANCH_DIFFERS"  # 枝番: the number is another patient's but for its branch, or hers without one
    )
    DEMOGRAPHICS_DIFFER = "DEMOGRAPHICS_DIFFER"  # the number is known with another birth date or sex
    NUMBER_CHANGED = "NUMBER_CHANGED"  # she has a new number now: for information
    NUMBER_OF_ANOTHER = "NUMBER_OF_ANOTHER"  # one of the numbers belongs to another patient


class Stream(IntEnum):
    """The three streams of an owner. Events of ACCESS carry no version."""

    RECORD = 1
    CONSENT = 2
    ACCESS = 3


class OperatorAct(StrEnum):
    """What an operator orders of a projection."""

    REBUILD = "REBUILD"
    REBUILD_PATIENT = "REBUILD_PATIENT"
    CANCEL = "CANCEL"
    PROMOTE = "PROMOTE"
    ROLL_BACK = "ROLL_BACK"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    DROP = "DROP"
    RETRY = "RETRY"
    SKIP = "SKIP"
