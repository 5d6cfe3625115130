"""Rules of single profiles that no row of a table can say: allergies (R20xx), drugs (R30xx, R50xx), results, flags.

R2012 names systems the guide has since left: the drug allergens of J-FAGY are accepted too, as its value set has them.
"""

import re
from collections.abc import Iterator

from tsuzuri.domain.rules.asking import codings, has_last_name, has_system, system_of, tags
from tsuzuri.domain.rules.part import Part
from tsuzuri.domain.rules.resources import Resource, elements
from tsuzuri.domain.rules.rule import Guide, Rule, Severity, Words, errors, warnings
from tsuzuri.domain.rules.systems import (
    CORE_LABORATORY,
    GENERAL_NAME,
    INDICATION,
    INFECTION_LABORATORY,
    JFAGY,
    JLAC10,
    LOCAL_LABORATORY,
    NOT_CODED,
    UNCODED_LABORATORY,
    USAGE,
    USAGE_NOT_CODED,
    YJ,
    YJ_STRENGTHS,
)

_CLINS = (Guide.CLINS_1_5, Guide.CLINS_1_10)
_ALLERGY = ("JP_AllergyIntolerance_eCS",)
_PRESCRIPTION = ("JP_MedicationRequest_eCS",)
_LABORATORY = ("JP_Observation_LabResult_eCS",)
_FLAGS = {
    "AllergyIntolerance": ("LTS",),
    "Condition": ("LTS", "UNINFORMED", "UNDELIVERED"),
    "MedicationRequest": ("LTS",),
    "Observation": ("LTS",),
}
"""Which flags a type may carry: long keeping, 未告知, 未提供."""

_JLAC10_CODE = re.compile(r"[0-9A-Z]{17}")
_LABORATORY_VALUES = ("valueQuantity", "valueCodeableConcept", "valueString")


def _is_drug(allergy: Resource) -> bool:
    return any(category.value == "medication" for category in allergy.all("category"))


def _is_high(allergy: Resource) -> bool:
    return allergy.part.text("criticality") == "high"


def _drug_not_high(allergy: Resource) -> Iterator[str]:
    if _is_drug(allergy) and not _is_high(allergy):
        yield allergy.part.below("criticality")


def _drug_code(allergy: Resource) -> Iterator[str]:
    found = codings(allergy.part, "code")
    if _is_drug(allergy) and _is_high(allergy) and found:
        if not has_system(found, YJ, GENERAL_NAME) and not has_last_name(found, JFAGY[-1]):
            yield allergy.part.below("code.coding")


def _allergen_code(allergy: Resource) -> Iterator[str]:
    found = codings(allergy.part, "code")
    if not (_is_drug(allergy) and _is_high(allergy)) and found and not has_last_name(found, *JFAGY):
        yield allergy.part.below("code.coding")


def _no_standard_drug_code(request: Resource) -> Iterator[str]:
    found = codings(request.part, "medicationCodeableConcept")
    if found and not has_system(found, YJ, GENERAL_NAME, YJ_STRENGTHS, NOT_CODED):
        yield request.part.below("medicationCodeableConcept.coding")


def _usages(request: Resource) -> Iterator[tuple[Part, bool, bool]]:
    """Of each timing with codes: whether it has a usage code, and whether the dummy for none."""
    for timing in request.all("dosageInstruction.timing"):
        if found := codings(timing, "code"):
            dummy = any(
                system_of(c) == USAGE_NOT_CODED and c.text("code") == "0X0XXXXXXXXX0000" for c in found
            )
            yield timing, has_system(found, USAGE), dummy


def _no_usage(request: Resource) -> Iterator[str]:
    yield from (
        part.below("code.coding") for part, coded, dummy in _usages(request) if not coded and not dummy
    )


def _both_usages(request: Resource) -> Iterator[str]:
    yield from (part.below("code.coding") for part, coded, dummy in _usages(request) if coded and dummy)


def _flag_not_allowed(resource: Resource) -> Iterator[str]:
    for tag in tags(resource, INDICATION):
        if tag.text("code") not in _FLAGS.get(resource.type or "", ()):
            yield tag.below("code")


def _no_local_code(observation: Resource) -> Iterator[str]:
    found = codings(observation.part, "code")
    if not observation.is_inside and found and not has_system(found, LOCAL_LABORATORY):
        yield observation.part.below("code.coding")


def _no_standard_code(observation: Resource) -> Iterator[str]:
    found = codings(observation.part, "code")
    known = has_system(found, JLAC10, UNCODED_LABORATORY) or has_last_name(
        found, CORE_LABORATORY, INFECTION_LABORATORY
    )
    if found and not known:
        yield observation.part.below("code.coding")


def _code_of_a_group(observation: Resource) -> Iterator[str]:
    """JLAC11 codes have forms of their own and are left alone."""
    for coding in codings(observation.part, "code"):
        listed = has_last_name([coding], CORE_LABORATORY, INFECTION_LABORATORY)
        if listed and "/JLAC11/" not in (coding.text("system") or ""):
            code = coding.text("code")
            if code is not None and not _JLAC10_CODE.fullmatch(code):
                yield coding.below("code")


def _value_of_another_type(observation: Resource) -> Iterator[str]:
    allowed = [part for key in _LABORATORY_VALUES for part in observation.all(key)]
    if len(observation.all("value[x]")) > len(allowed):
        yield observation.part.below("value[x]")


RESOURCE_RULES = (
    Rule(
        id="R2011",
        on=_ALLERGY,
        path="AllergyIntolerance.criticality",
        holds=warnings(*_CLINS),
        broken=_drug_not_high,
        message=Words(
            "A drug allergy counts as 薬剤アレルギー等 with criticality high",
            "薬剤アレルギー等とするには criticality を high にする必要があります",
        ),
        fix=Words("Use high, if it is", "該当する場合は high を設定してください"),
    ),
    Rule(
        id="R2012",
        on=_ALLERGY,
        path="AllergyIntolerance.code.coding",
        holds=errors(*_CLINS),
        broken=_drug_code,
        message=Words("The drug is not coded as one", "薬剤アレルギー等の医薬品コードがありません"),
        fix=Words(
            "Add a YJ code, a general name, or a drug allergen of J-FAGY",
            "YJ コード、一般名コード、J-FAGY 医薬品コードのいずれかを追加してください",
        ),
    ),
    Rule(
        id="R2013",
        on=_ALLERGY,
        path="AllergyIntolerance.code.coding",
        holds=errors(*_CLINS),
        broken=_allergen_code,
        message=Words("The allergen has no code of J-FAGY", "アレルギー物質の J-FAGY コードがありません"),
        fix=Words(
            "Add its code, or the dummy code, of J-FAGY",
            "J-FAGY のコード（ダミーコード可）を追加してください",
        ),
    ),
    Rule(
        id="R3010",
        on=_PRESCRIPTION,
        path="MedicationRequest.medicationCodeableConcept.coding",
        holds={Guide.CLINS_1_5: Severity.ERROR, Guide.CLINS_1_10: Severity.WARNING},
        broken=_no_standard_drug_code,
        message=Words(
            "The drug has neither a YJ code nor a general name, and is not called uncoded",
            "医薬品に YJ コード、一般名コード、標準コードなし のいずれもありません",
        ),
        fix=Words(f"Add its code of {YJ}", f"{YJ} のコードを追加してください"),
    ),
    Rule(
        id="R5020",
        on=_PRESCRIPTION,
        path="MedicationRequest.dosageInstruction.timing.code.coding",
        holds=errors(*_CLINS),
        broken=_no_usage,
        message=Words(
            "The usage has neither a code of electronic prescriptions nor the dummy code",
            "用法に電子処方箋用法コードもダミー用法コードもありません",
        ),
        fix=Words(
            f"Add one of {USAGE}, or of {USAGE_NOT_CODED}",
            f"{USAGE} または {USAGE_NOT_CODED} のコードを追加してください",
        ),
    ),
    Rule(
        id="R5021",
        on=_PRESCRIPTION,
        path="MedicationRequest.dosageInstruction.timing.code.coding",
        holds=errors(*_CLINS),
        broken=_both_usages,
        message=Words("The usage is coded, and called uncoded", "用法コードとダミー用法コードが両方あります"),
        fix=Words("Leave the dummy code out", "ダミー用法コードを削除してください"),
    ),
    Rule(
        id="T0013",
        on=tuple(_FLAGS),
        path="meta.tag.code",
        holds=errors(*_CLINS),
        broken=_flag_not_allowed,
        only_with=elements("meta"),
        message=Words(
            "This flag does not exist, or not for this type", "このリソース型では使用できないフラグです"
        ),
        fix=Words(
            "Condition: LTS, UNINFORMED, UNDELIVERED; the others: LTS",
            "Condition は LTS, UNINFORMED, UNDELIVERED、その他は LTS だけです",
        ),
    ),
    Rule(
        id="T0020",
        on=_LABORATORY,
        path="Observation.code.coding",
        holds=warnings(*_CLINS),
        broken=_no_local_code,
        message=Words(
            "To be sent as one of the five kinds of information, a result needs the sender's own code too",
            "5情報として送信するにはローカルコードも必要です",
        ),
        fix=Words(f"Add a coding of {LOCAL_LABORATORY}", f"{LOCAL_LABORATORY} の coding を追加してください"),
    ),
    Rule(
        id="T0021",
        on=_LABORATORY,
        path="Observation.code.coding",
        holds=warnings(*_CLINS),
        broken=_no_standard_code,
        message=Words(
            "The result is coded in no system the guide knows, so nobody can tell what it is",
            "検査項目にガイドの定めるコード体系のコードがありません",
        ),
        fix=Words(
            "Add a JLAC code, or the code for uncoded items",
            "JLAC コード、または未標準化コードを追加してください",
        ),
    ),
    Rule(
        id="T0022",
        on=_LABORATORY,
        path="Observation.code.coding.code",
        holds=errors(*_CLINS),
        broken=_code_of_a_group,
        message=Words(
            "The code names a group of tests: a test has 17 characters in JLAC10",
            "検査項目ではなく項目群のコードです（JLAC10 は17桁）",
        ),
        fix=Words("Use the code of the test itself", "検査項目の17桁コードを設定してください"),
    ),
    Rule(
        id="T0023",
        on=_LABORATORY,
        path="Observation.value[x]",
        holds=errors(*_CLINS),
        broken=_value_of_another_type,
        message=Words(
            "The result is none of Quantity, CodeableConcept, string",
            "結果の型が Quantity, CodeableConcept, string のいずれでもありません",
        ),
        fix=Words("Use one of these types", "いずれかの型にしてください"),
    ),
)
