"""JP_Patient_eCS, and the numbers of institutions: the rules R10xx and R11xx.

R1011 and R1112 are written in the guide and asked by none of its profiles: they are warnings here. R1021 takes
pharmacies (点数表 4) too, which the guide's own form leaves out: T0025 warns of them.
"""

import re
from collections.abc import Iterator

from tsuzuri.domain.identifiers import (
    INSURED_PERSON_SYSTEM,
    PUBLIC_PAYER_SYSTEM,
    MalformedNumber,
    facility_number,
)
from tsuzuri.domain.rules.asking import (
    PHARMACY_DIGITS,
    TEN_DIGITS,
    institution_values,
    is_institution,
    matches,
    system_of,
)
from tsuzuri.domain.rules.part import Part
from tsuzuri.domain.rules.resources import Resource, elements
from tsuzuri.domain.rules.rule import Guide, Rule, Words, errors, warnings
from tsuzuri.domain.rules.systems import LOCAL_PATIENT

_CLINS = (Guide.CLINS_1_5, Guide.CLINS_1_10)
_PATIENT = ("JP_Patient_eCS",)
_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_INSURED_PERSON = re.compile(r"[0-9]{8}:[^:\s]*:[^:\s]*:(?:[0-9]{2})?")
_PUBLIC_PAYER = re.compile(r"[0-9]{8}::[^:\s]{7}:")
_FULL_WIDTH_SPACE = "\u3000"
_NAMING = tuple(
    "identifier custodian.identifier author.identifier performer.identifier requester.identifier "
    "serviceProvider.identifier managingOrganization.identifier partOf.identifier organization.identifier".split()
)
"""Where a resource may name an institution by its number, beside the guide's own extension."""


def _local_numbers(patient: Resource) -> list[Part]:
    return [part for part in patient.all("identifier") if (system_of(part) or "").startswith(LOCAL_PATIENT)]


def _local_system(patient: Resource) -> Iterator[str]:
    """At most one local number, whose system ends in 1 and the institution."""
    found = _local_numbers(patient)
    for part in found:
        end = (system_of(part) or "").removeprefix(LOCAL_PATIENT)
        if end[:1] != "1" or not matches(TEN_DIGITS, end[1:]):
            yield part.below("system")
    yield from (part.place for part in found[1:])


def _local_of_another(patient: Resource) -> Iterator[str]:
    own = [value for _, value in institution_values(patient)]
    for part in _local_numbers(patient) if own else ():
        if (system_of(part) or "").removeprefix(f"{LOCAL_PATIENT}1") not in own:
            yield part.below("system")


def _insured(patient: Resource) -> list[Part]:
    return [
        part
        for part in patient.all("identifier")
        if system_of(part) in (INSURED_PERSON_SYSTEM, PUBLIC_PAYER_SYSTEM)
    ]


def _not_one_insured(patient: Resource) -> Iterator[str]:
    found = _insured(patient)
    if not found:
        yield patient.part.below("identifier")
    yield from (part.place for part in found[1:])


def _insured_form(patient: Resource) -> Iterator[str]:
    for part in _insured(patient):
        form = _INSURED_PERSON if system_of(part) == INSURED_PERSON_SYSTEM else _PUBLIC_PAYER
        if not matches(form, part.text("value")):
            yield part.below("value")


def _institution_form(resource: Resource) -> Iterator[str]:
    for part, value in institution_values(resource):
        if value is not None and not matches(TEN_DIGITS, value):
            yield part.below("value")


def _pharmacy(resource: Resource) -> Iterator[str]:
    """Where the guide's own form, whose 点数表 ends at 3, is broken by a pharmacy's number."""
    for part, value in institution_values(resource):
        if matches(PHARMACY_DIGITS, value):
            yield part.below("value")
    for identifier in resource.all("identifier") if resource.type == "Bundle" else ():
        if matches(PHARMACY_DIGITS, (identifier.text("value") or "").partition("^")[0]):
            yield identifier.below("value")


def _number_anywhere(resource: Resource) -> Iterator[str]:
    for identifier in filter(is_institution, resource.among(_NAMING)):
        try:
            facility_number(identifier.text("value") or "")
        except MalformedNumber:
            yield identifier.below("value")


def _represented(name: Part) -> set[str | None]:
    return {
        extension.text("valueCode")
        for extension in name.children("extension")
        if extension.text("url") == _REPRESENTATION
    }


def _no_representation(patient: Resource) -> Iterator[str]:
    names = patient.all("name")
    if names and not any({"IDE", "SYL"} & _represented(name) for name in names):
        yield patient.part.below("name")


def _wide_space(patient: Resource) -> Iterator[str]:
    for name in patient.all("name"):
        if _represented(name) and _FULL_WIDTH_SPACE in (name.text("text") or ""):
            yield name.below("text")


PATIENT_RULES = (
    Rule(
        id="R1010",
        on=_PATIENT,
        path="Patient.identifier.system",
        holds=errors(*_CLINS),
        broken=_local_system,
        message=Words(
            "The system of the local patient number does not end in 1 and ten digits, or there are two such numbers",
            "施設患者IDの system が「1＋医療機関番号10桁」で終わっていないか、複数あります",
        ),
        fix=Words(
            f"Send one, of system {LOCAL_PATIENT}1 and the institution's ten digits",
            f"{LOCAL_PATIENT}1＋医療機関番号10桁 の system で1つだけ設定してください",
        ),
    ),
    Rule(
        id="R1011",
        on=_PATIENT,
        path="Patient.identifier.system",
        holds=warnings(*_CLINS),
        broken=_local_of_another,
        message=Words(
            "The local number is of another institution than the Patient's extension names",
            "施設患者IDの医療機関番号が拡張の医療機関番号と一致しません",
        ),
        fix=Words("Name the same institution in both", "同じ医療機関番号にしてください"),
    ),
    Rule(
        id="R1012",
        on=_PATIENT,
        path="Patient.identifier",
        holds=errors(*_CLINS),
        broken=_not_one_insured,
        message=Words(
            "There must be exactly one number of an insured person or of public assistance",
            "被保険者識別子または生活保護受給者識別子がちょうど1つ必要です",
        ),
        fix=Words("Send the valid one", "有効な識別子を1つだけ設定してください"),
    ),
    Rule(
        id="R1013",
        on=_PATIENT,
        path="Patient.identifier.value",
        holds=errors(*_CLINS),
        broken=_insured_form,
        message=Words(
            "The number is not: insurer (8 digits) : sign : number : branch (2 digits or nothing), without blanks",
            "「保険者番号8桁:記号:番号:枝番（2桁または空）」（空白なし）の形式ではありません",
        ),
        fix=Words(
            "Keep the three colons where a part is missing",
            "存在しない部分は空にし、コロンは3つ残してください",
        ),
    ),
    Rule(
        id="R1021",
        on=("*",),
        path="extension.valueIdentifier.value",
        holds=errors(*_CLINS),
        broken=_institution_form,
        only_with=elements("extension"),
        message=Words(
            "The institution number is not: prefecture (2), 点数表 1 to 4, number (7)",
            "医療機関番号が「都道府県2桁・点数表1〜4・番号7桁」ではありません",
        ),
        fix=Words("Write its ten digits", "10桁で設定してください"),
    ),
    Rule(
        id="R1112",
        on=_PATIENT,
        path="Patient.name",
        holds=warnings(*_CLINS),
        broken=_no_representation,
        message=Words(
            "No name says whether it is in kanji or in kana",
            "漢字・カナの区別（表記種別の拡張）を持つ氏名がありません",
        ),
        fix=Words(
            "Add the extension iso21090-EN-representation, IDE or SYL",
            "拡張 iso21090-EN-representation（IDE または SYL）を付けてください",
        ),
    ),
    Rule(
        id="R1113",
        on=_PATIENT,
        path="Patient.name.text",
        holds=errors(*_CLINS),
        broken=_wide_space,
        message=Words("The name has a full-width space", "氏名に全角空白が含まれています"),
        fix=Words("Use a half-width space, or none", "半角空白にするか、空白を除いてください"),
    ),
    Rule(
        id="T0004",
        on=("*",),
        path="identifier.value",
        holds=errors(*_CLINS, Guide.CHECKUP_1_5),
        broken=_number_anywhere,
        only_with=elements(*_NAMING),
        message=Words(
            "An institution is named by a number that is not of ten digits",
            "医療機関番号が10桁ではありません",
        ),
        fix=Words(
            "Write prefecture (2), 点数表 (1) and number (7)", "都道府県2桁・点数表1桁・番号7桁にしてください"
        ),
    ),
    Rule(
        id="T0025",
        on=("*",),
        path="extension.valueIdentifier.value",
        holds=warnings(*_CLINS, Guide.CHECKUP_1_5),
        broken=_pharmacy,
        only_with=elements("extension", "identifier"),
        message=Words(
            "The number is a pharmacy's (点数表 4), for which the guide's own form has no room",
            "医療機関番号が薬局（点数表4）のものです。ガイドの形式（1〜3）には含まれていません",
        ),
        fix=Words(
            "Nothing, if a pharmacy is meant; other receivers may refuse it",
            "薬局であれば対応不要ですが、他の受信側で拒否される可能性があります",
        ),
    ),
)
