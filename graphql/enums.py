"""The vocabulary as GraphQL enums, with the Japanese term beside each value.

`strawberry.enum` marks the domain's own classes, so an enum is one class everywhere.
"""

import strawberry

from tsuzuri.domain.correction_requests import CorrectionState
from tsuzuri.domain.referrals import STATE_TERMS, ReferralState
from tsuzuri.domain.registrations import Registration
from tsuzuri.domain.reviews import ReviewCause, ReviewState
from tsuzuri.domain.vocabulary import (
    FACILITY_TERMS,
    TERMS,
    AccessBasis,
    ConsentChange,
    ConsentState,
    CorrectionKind,
    CorrectionOutcome,
    DocumentKind,
    FacilityKind,
    Flag,
    IdentifiedBy,
    Language,
    ProxyRelation,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    ReviewFinding,
    Role,
    UnmatchedReason,
)

__all__ = [
    "AccessBasis",
    "ConsentChange",
    "ConsentState",
    "CorrectionKind",
    "CorrectionOutcome",
    "CorrectionState",
    "DocumentKind",
    "FacilityKind",
    "Flag",
    "IdentifiedBy",
    "Language",
    "ProxyRelation",
    "PurposeOfUse",
    "RecordClass",
    "ReferralState",
    "RefusalReason",
    "Registration",
    "ReviewCause",
    "ReviewFinding",
    "ReviewState",
    "Role",
    "UnmatchedReason",
]

strawberry.enum(
    RecordClass,
    description="情報の種類: " + ", ".join(f"{c.value} {term}" for c, term in TERMS.items()) + ".",
)
strawberry.enum(DocumentKind, description="文書種別: a document, or a FHIR collection of one resource type.")
strawberry.enum(
    FacilityKind,
    description="医療機関の種別: "
    + ", ".join(f"{k.value} {term}" for k, term in FACILITY_TERMS.items())
    + ".",
)
strawberry.enum(
    Flag,
    description="LTS 長期保存; UNINFORMED 未告知: the patient has not been told; UNDELIVERED 未提供: not given out.",
)
strawberry.enum(Language, description="JA 日本語, EN English.")
strawberry.enum(Role, description="What a caller may be.")
strawberry.enum(PurposeOfUse, description="HL7 v3 PurposeOfUse: what the read is for.")
strawberry.enum(ConsentChange, description="What you may do to your consents.")
strawberry.enum(
    ProxyRelation, description="代理人: PARENT 親権者, GUARDIAN 後見人, DELEGATE whom the patient chose."
)
strawberry.enum(
    CorrectionKind,
    description="What you ask of a facility: CORRECTION 訂正・追加・削除, STOP_USE 利用停止・消去, "
    "STOP_PROVISION 第三者提供の停止.",
)
strawberry.enum(
    CorrectionOutcome,
    description="What a facility answers: ACCEPTED 応じる, PARTLY 一部に応じる, DECLINED 応じない.",
)
strawberry.enum(
    CorrectionState,
    description="Where a request stands: WAITING 回答待ち, ANSWERED 回答済, TAKEN_BACK 取下げ.",
)
strawberry.enum(AccessBasis, description="Why a read was permitted.")
strawberry.enum(
    ConsentState,
    description="同意の状態: GIVEN 同意あり, NOT_NEEDED 同意不要 (herself, a proxy, who registered it, an audit), "
    "WITHOUT 同意なし (an emergency or a disaster), NONE: nothing let it be seen.",
)
strawberry.enum(
    IdentifiedBy,
    description="How the patient was named: our ID, INSURED_PERSON 被保険者番号, PUBLIC_ASSISTANCE 公費, LOCAL the "
    "facility's own number, DEMOGRAPHICS by name, birth date and sex.",
)
strawberry.enum(
    RefusalReason,
    description="Why a read was refused. NOT_AVAILABLE covers unknown patient, no consent, withdrawn and denied.",
)
strawberry.enum(Registration, description="What became of a Bundle that was sent.")
strawberry.enum(
    ReferralState,
    description="Where a referral stands: "
    + ", ".join(f"{s.value} {term}" for s, term in STATE_TERMS.items())
    + ".",
)
strawberry.enum(
    ReviewCause,
    description="Why reads are reviewed: EMERGENCY 救急, DISASTER 災害, or what a rule noticed: MANY_PATIENTS without "
    "an encounter, OWN_FAMILY_NAME, OFF_HOURS 診療時間外, NO_ENCOUNTER after an emergency.",
)
strawberry.enum(ReviewState, description="Whether somebody has looked.")
strawberry.enum(
    ReviewFinding, description="What a reviewer finds: JUSTIFIED 正当, NOT_JUSTIFIED 不当, UNCLEAR 不明."
)
strawberry.enum(
    UnmatchedReason,
    description="Why a person must look: BRANCH_DIFFERS 枝番; DEMOGRAPHICS_DIFFER 生年月日・性別; "
    "NUMBER_CHANGED, for information; NUMBER_OF_ANOTHER.",
)
