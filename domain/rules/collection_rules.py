"""JP_Bundle_CLINS as a whole: the rules R02xx and R215x, and ours where the guide is silent or contradicts itself.

Two of ours soften what the guide says twice. Its value set lets a Bundle carry MedicationRequest, its rule R02142 does
not: T0011. And it tells senders to clear what they sent by a Patient alone, which its rule R02143 forbids: T0012. Both
are warnings, and an operator may make them errors.
"""

import re
from collections.abc import Iterator

from tsuzuri.domain.rules.asking import claims, matches, system_of, tags
from tsuzuri.domain.rules.limits import SIZE_MAX_BYTES
from tsuzuri.domain.rules.part import Part
from tsuzuri.domain.rules.resources import Resource
from tsuzuri.domain.rules.rule import Guide, Rule, Words, errors, warnings
from tsuzuri.domain.rules.systems import BUNDLE_IDENTIFIER, CARRIED_TYPE

INFORMATION = ("AllergyIntolerance", "Condition", "MedicationRequest", "Observation")

_BUNDLE_ID = re.compile(r"[0-4][0-9][1-4][0-9]{7}\^20[23][0-9]\^[A-Za-z0-9-]{1,36}")
_CLINS = (Guide.CLINS_1_5, Guide.CLINS_1_10)
_ALL = (*_CLINS, Guide.CHECKUP_1_5)
_DOCUMENTS = (
    "JP_Bundle_eReferral",
    "JP_Bundle_eDischargeSummary",
    "JP_Bundle_ePCS",
    "JP_Bundle_eCheckupGeneral",
)
_COLLECTION = ("JP_Bundle_CLINS",)


def _first(bundle: Resource) -> Part | None:
    entries = bundle.entries
    return entries[0][1] if entries else None


def _patient_first(bundle: Resource) -> Iterator[str]:
    first = _first(bundle)
    if first is None or first.text("resourceType") != "Patient":
        yield first.place if first else bundle.part.below("entry")


def _patient_profile(bundle: Resource) -> Iterator[str]:
    first = _first(bundle)
    if first is not None and first.text("resourceType") == "Patient" and not claims(first, "JP_Patient_eCS"):
        yield first.below("meta.profile")


def _own_profile(bundle: Resource) -> Iterator[str]:
    if not claims(bundle.part, "JP_Bundle_CLINS"):
        yield bundle.part.below("meta.profile")


def _tag_missing(bundle: Resource) -> Iterator[str]:
    if not tags(bundle, CARRIED_TYPE):
        yield bundle.part.below("meta.tag")


def _tag_unknown(bundle: Resource) -> Iterator[str]:
    found = tags(bundle, CARRIED_TYPE)
    yield from (tag.below("code") for tag in found if tag.text("code") not in INFORMATION)
    yield from (tag.place for tag in found[1:])


def _tag_prescriptions(bundle: Resource) -> Iterator[str]:
    for tag in tags(bundle, CARRIED_TYPE):
        if tag.text("code") == "MedicationRequest":
            yield tag.below("code")


def _carried(bundle: Resource) -> list[tuple[Part, str]]:
    """The resources beside the Patient, with their types as sent."""
    told = [(resource, resource.text("resourceType")) for _, resource in bundle.entries if resource]
    return [(resource, kind) for resource, kind in told if kind and kind != "Patient"]


def _tag_of_nothing(bundle: Resource) -> Iterator[str]:
    kinds = {kind for _, kind in _carried(bundle)}
    for tag in tags(bundle, CARRIED_TYPE):
        if kinds and tag.text("code") in INFORMATION and tag.text("code") not in kinds:
            yield tag.below("code")


def _clears(bundle: Resource) -> Iterator[str]:
    if _first(bundle) is not None and not _carried(bundle):
        yield bundle.part.below("entry")


def _mixed(bundle: Resource) -> Iterator[str]:
    """The first resource of a second kind of information."""
    told = [(resource, kind) for resource, kind in _carried(bundle) if kind in INFORMATION]
    yield from [resource.place for resource, kind in told if kind != told[0][1]][:1]


def _identifier_system(bundle: Resource) -> Iterator[str]:
    for identifier in bundle.all("identifier"):
        if system_of(identifier) != BUNDLE_IDENTIFIER:
            yield identifier.below("system")


def _identifier_form(bundle: Resource) -> Iterator[str]:
    for identifier in bundle.all("identifier"):
        value = identifier.text("value")
        if value is not None and not matches(_BUNDLE_ID, value):
            yield identifier.below("value")


def _too_large(bundle: Resource) -> Iterator[str]:
    if bundle.size_bytes is not None and bundle.size_bytes > SIZE_MAX_BYTES:
        yield bundle.place


COLLECTION_RULES = (
    Rule(
        id="R0211",
        on=_COLLECTION,
        path="Bundle.entry[0].resource",
        holds=errors(*_CLINS),
        broken=_patient_first,
        message=Words("The first entry is not the Patient", "最初の entry が Patient ではありません"),
        fix=Words("Put the Patient first", "Patient を最初の entry にしてください"),
    ),
    Rule(
        id="R0212",
        on=_COLLECTION,
        path="Bundle.entry[0].resource.meta.profile",
        holds=errors(*_CLINS),
        broken=_patient_profile,
        message=Words(
            "The Patient does not claim the profile JP_Patient_eCS",
            "Patient が JP_Patient_eCS に準拠していません",
        ),
        fix=Words(
            "Name that profile in its meta.profile", "meta.profile に JP_Patient_eCS を設定してください"
        ),
    ),
    Rule(
        id="R0213",
        on=_COLLECTION,
        path="Bundle.meta.profile",
        holds=errors(*_CLINS),
        broken=_own_profile,
        message=Words(
            "The Bundle does not claim the profile JP_Bundle_CLINS",
            "Bundle が JP_Bundle_CLINS に準拠していません",
        ),
        fix=Words(
            "Name that profile in its meta.profile", "meta.profile に JP_Bundle_CLINS を設定してください"
        ),
    ),
    Rule(
        id="R02141",
        on=_COLLECTION,
        path="Bundle.meta.tag",
        holds=errors(*_CLINS),
        broken=_tag_missing,
        message=Words(
            "No tag says which kind of information the Bundle carries",
            "収納する情報の種別を示す meta.tag がありません",
        ),
        fix=Words(f"Add a tag of {CARRIED_TYPE}", f"{CARRIED_TYPE} の tag を追加してください"),
    ),
    Rule(
        id="R02142",
        on=_COLLECTION,
        path="Bundle.meta.tag.code",
        holds=errors(*_CLINS),
        broken=_tag_unknown,
        message=Words(
            "The tag names no kind of information, or more than one",
            "tag の種別が決められたものではないか、複数あります",
        ),
        fix=Words(
            "Use AllergyIntolerance, Condition or Observation",
            "AllergyIntolerance, Condition, Observation のいずれか1つにしてください",
        ),
    ),
    Rule(
        id="R02143",
        on=_COLLECTION,
        path="Bundle.meta.tag.code",
        holds=errors(*_CLINS),
        broken=_tag_of_nothing,
        message=Words(
            "The tag names a type of which no entry is", "tag の種別のリソースが entry に1つもありません"
        ),
        fix=Words("Name what is carried, or carry what is named", "tag と entry を一致させてください"),
    ),
    Rule(
        id="R02151",
        on=_COLLECTION + _DOCUMENTS,
        path="Bundle.identifier.system",
        holds=errors(*_ALL),
        broken=_identifier_system,
        message=Words(
            "The Bundle's identifier is not of the system of Bundle identifiers",
            "Bundle.identifier.system が決められた値ではありません",
        ),
        fix=Words(f"Use {BUNDLE_IDENTIFIER}", f"{BUNDLE_IDENTIFIER} を設定してください"),
    ),
    Rule(
        id="R2152",
        on=_COLLECTION + _DOCUMENTS,
        path="Bundle.identifier.value",
        holds=errors(*_ALL),
        broken=_identifier_form,
        message=Words(
            "The Bundle's identifier is not: institution (10 digits) ^ year ^ 1 to 36 letters, digits, hyphens",
            "Bundle.identifier.value が「医療機関番号10桁^西暦4桁^英数字・ハイフン36文字以内」の形式ではありません",
        ),
        fix=Words("Write it in that form", "この形式にしてください"),
    ),
    Rule(
        id="T0001",
        on=("Bundle",),
        path="Bundle",
        holds=errors(*_ALL),
        broken=_too_large,
        message=Words("The Bundle is larger than 10 MB", "Bundle が 10 MB を超えています"),
        fix=Words("Send it in smaller ones", "分割して送信してください"),
    ),
    Rule(
        id="T0002",
        on=_COLLECTION,
        path="Bundle.entry.resource",
        holds=errors(*_CLINS),
        broken=_mixed,
        message=Words(
            "The Bundle mixes several kinds of information", "1つの Bundle に複数の種別の情報が混在しています"
        ),
        fix=Words("Send each kind in a Bundle of its own", "種別ごとに別の Bundle にしてください"),
    ),
    Rule(
        id="T0011",
        on=_COLLECTION,
        path="Bundle.meta.tag.code",
        holds=warnings(*_CLINS),
        broken=_tag_prescriptions,
        message=Words(
            "Prescriptions alone: the guide's value set allows it, its rule R02142 does not",
            "処方のみの Bundle は、ガイドの値セットでは許されますが規則 R02142 では許されません",
        ),
        fix=Words("Send prescriptions within a document", "処方は文書に含めて送信してください"),
    ),
    Rule(
        id="T0012",
        on=_COLLECTION,
        path="Bundle.entry",
        holds=warnings(*_CLINS),
        broken=_clears,
        message=Words(
            "A Patient alone clears what was sent before: the guide describes it, its rule R02143 forbids it",
            "Patient のみの Bundle は登録済み情報の消去を意味します（規則 R02143 とは矛盾します）",
        ),
        fix=Words("Send it only to clear", "消去する場合だけ送信してください"),
    ),
)
