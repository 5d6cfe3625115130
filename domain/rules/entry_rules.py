"""The entries of a JP_Bundle_CLINS: what a resource needs when it is sent as one of the five kinds of information.

R9018C is softened: read to the letter, it asks for an end of every condition that is still there. We warn where a
condition has ended and does not say when.
"""

from collections.abc import Callable, Iterator

from tsuzuri.domain.rules.asking import (
    TEN_DIGITS,
    claims,
    codes,
    codings,
    has_last_name,
    has_system,
    institution_values,
    matches,
    system_of,
    tags,
)
from tsuzuri.domain.rules.resources import Resource, elements
from tsuzuri.domain.rules.rule import Guide, Rule, Words, errors, warnings
from tsuzuri.domain.rules.systems import (
    INDICATION,
    INFECTION_LABORATORY,
    LOCAL_LABORATORY,
    NOT_CODED,
    YJ,
    YJ_STRENGTHS,
)

_CLINS = (Guide.CLINS_1_5, Guide.CLINS_1_10)
_EVERY = ("JP_Bundle_CLINS > *",)
_CONDITION = ("JP_Bundle_CLINS > Condition",)
_OBSERVATION = ("JP_Bundle_CLINS > Observation",)
_PRESCRIPTION = ("JP_Bundle_CLINS > MedicationRequest",)
_ENDED = {"resolved", "remission", "inactive"}


def _lacks(path: str) -> Callable[[Resource], Iterator[str]]:
    """Where an element is missing that a resource of its own may leave out."""

    def places(resource: Resource) -> Iterator[str]:
        if not any(part.value != {} for part in resource.all(path)):
            yield resource.part.below(path.partition(":")[0])

    return places


def _lacks_contained(kind: str, *profiles: str) -> Callable[[Resource], Iterator[str]]:
    """Where no contained resource of a type claims one of the profiles. Their ids need not differ between entries."""

    def places(resource: Resource) -> Iterator[str]:
        for inner in resource.all("contained"):
            if inner.text("resourceType") == kind and claims(inner, *profiles):
                return
        yield resource.part.below("contained")

    return places


def _institution_form(resource: Resource) -> Iterator[str]:
    if resource.all("extension:institution"):
        found = list(institution_values(resource))
        yield from (part.below("value") for part, value in found if not matches(TEN_DIGITS, value))
        if not found:
            yield resource.all("extension:institution")[0].below("valueIdentifier")


def _no_local_code(observation: Resource) -> Iterator[str]:
    found = codings(observation.part, "code")
    if found and not has_system(found, LOCAL_LABORATORY):
        yield observation.part.below("code.coding")


def _kept_long(observation: Resource) -> Iterator[str]:
    for tag in tags(observation, INDICATION):
        if tag.text("code") == "LTS" and not has_last_name(
            codings(observation.part, "code"), INFECTION_LABORATORY
        ):
            yield tag.place


def _has_members(observation: Resource) -> Iterator[str]:
    yield from (part.place for part in observation.all("hasMember")[:1])


def _no_drug_code(request: Resource) -> Iterator[str]:
    found = codings(request.part, "medicationCodeableConcept")
    if found and not has_system(found, YJ, YJ_STRENGTHS):
        yield request.part.below("medicationCodeableConcept.coding")
    yield from (coding.place for coding in found if system_of(coding) == NOT_CODED)


def _ended_without_date(condition: Resource) -> Iterator[str]:
    if codes(condition.part, "clinicalStatus") & _ENDED and not condition.all("abatementDateTime"):
        yield condition.part.below("abatementDateTime")


def _needed(rule_id: str, on: tuple[str, ...], path: str, en: str, ja: str) -> Rule:
    """A rule that an element must be there."""
    bare = path.partition(":")[0]
    return Rule(
        id=rule_id,
        on=on,
        path=f"{on[0].rpartition(' ')[2].replace('*', 'Resource')}.{bare}",
        holds=errors(*_CLINS),
        broken=_lacks(path),
        message=Words(f"{bare} is missing: {en}", f"{bare} がありません：{ja}"),
        fix=Words(f"Add {bare}", f"{bare} を追加してください"),
    )


def _needs_encounter(rule_id: str, on: tuple[str, ...]) -> Rule:
    return Rule(
        id=rule_id,
        on=on,
        path=f"{on[0].rpartition(' ')[2]}.contained",
        holds=errors(*_CLINS),
        broken=_lacks_contained("Encounter", "JP_Encounter", "JP_Encounter_eCS"),
        message=Words(
            "It contains no Encounter that claims JP_Encounter", "contained に JP_Encounter がありません"
        ),
        fix=Words(
            "Contain the Encounter, with its class and meta.profile",
            "class と meta.profile を持つ Encounter を contained に含めてください",
        ),
    )


ENTRY_RULES = (
    Rule(
        id="R3011",
        on=_PRESCRIPTION,
        path="MedicationRequest.medicationCodeableConcept.coding",
        holds=errors(*_CLINS),
        broken=_no_drug_code,
        message=Words(
            "The drug has no YJ code, or is called uncoded",
            "医薬品に YJ コードがないか、標準コードなしとされています",
        ),
        fix=Words(f"Add its code of {YJ}", f"{YJ} のコードを追加してください"),
    ),
    Rule(
        id="R6021",
        on=_OBSERVATION,
        path="Observation.code.coding",
        holds=errors(*_CLINS),
        broken=_no_local_code,
        message=Words("The sender's own laboratory code is missing", "検査項目のローカルコードがありません"),
        fix=Words(f"Add a coding of {LOCAL_LABORATORY}", f"{LOCAL_LABORATORY} の coding を追加してください"),
    ),
    Rule(
        id="R6031",
        on=_OBSERVATION,
        path="Observation.meta.tag",
        holds=errors(*_CLINS),
        broken=_kept_long,
        message=Words(
            "Only the listed infections may be marked for long keeping",
            "長期保存フラグは指定感染症の検査だけに付けられます",
        ),
        fix=Words(
            "Remove the tag, or code the result as one of the listed infections",
            "tag を削除するか、指定感染症のコードを付けてください",
        ),
    ),
    Rule(
        id="R6081",
        on=_OBSERVATION,
        path="Observation.hasMember",
        holds=errors(*_CLINS),
        broken=_has_members,
        only_with=elements("hasMember"),
        message=Words("hasMember cannot be used here", "hasMember は使用できません"),
        fix=Words("Send each result by itself", "結果ごとに Observation を分けてください"),
    ),
    _needed(
        "R9011", _EVERY, "extension:institution", "the institution it comes from", "作成した医療機関の番号"
    ),
    Rule(
        id="R9012",
        on=_EVERY,
        path="Resource.extension.valueIdentifier.value",
        holds=errors(*_CLINS),
        broken=_institution_form,
        message=Words(
            "The institution number is not of ten digits", "医療機関番号が10桁の形式ではありません"
        ),
        fix=Words(
            "Write prefecture (2), 点数表 (1 to 4) and number (7)",
            "都道府県2桁・点数表1桁（1〜4）・番号7桁にしてください",
        ),
    ),
    _needs_encounter("R9013C", _CONDITION),
    _needs_encounter("R9013O", _OBSERVATION),
    _needed("R9014C", _CONDITION, "extension:department", "the department", "診療科"),
    _needed("R9014O", _OBSERVATION, "extension:department", "the department", "診療科"),
    _needed("R9015C", _CONDITION, "onsetDateTime", "when the condition began", "病名開始日"),
    _needed("R9016C", _CONDITION, "encounter", "the visit or stay", "受診情報への参照"),
    _needed("R9016O", _OBSERVATION, "encounter", "the visit or stay", "受診情報への参照"),
    _needed("R9017O", _OBSERVATION, "performer", "who answers for the test", "検査の責任者"),
    Rule(
        id="R9018C",
        on=_CONDITION,
        path="Condition.abatementDateTime",
        holds=warnings(*_CLINS),
        broken=_ended_without_date,
        message=Words("The condition has ended, and no date says when", "終了した傷病名に終了日がありません"),
        fix=Words("Add abatementDateTime", "abatementDateTime を追加してください"),
    ),
    Rule(
        id="R9019O",
        on=_OBSERVATION,
        path="Observation.contained",
        holds=errors(*_CLINS),
        broken=_lacks_contained("Practitioner", "JP_Practitioner", "JP_Practitioner_eCS"),
        message=Words(
            "It contains no Practitioner that claims JP_Practitioner",
            "contained に JP_Practitioner がありません",
        ),
        fix=Words(
            "Contain the Practitioner, with meta.profile",
            "meta.profile を持つ Practitioner を contained に含めてください",
        ),
    ),
)
