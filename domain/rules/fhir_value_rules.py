"""What FHIR R4 demands of values that must agree with each other. Our numbers: it gives none."""

from collections.abc import Iterator

from tsuzuri.domain.rules.asking import codes
from tsuzuri.domain.rules.part import choices
from tsuzuri.domain.rules.periods import ends_before_start
from tsuzuri.domain.rules.resources import Resource, elements
from tsuzuri.domain.rules.rule import Guide, Rule, Words, errors, warnings

_CHOICES = {
    "AllergyIntolerance": ("onset[x]",),
    "Condition": ("onset[x]", "abatement[x]"),
    "DiagnosticReport": ("effective[x]",),
    "FamilyMemberHistory": ("born[x]", "age[x]", "deceased[x]"),
    "Immunization": ("occurrence[x]",),
    "MedicationAdministration": ("medication[x]", "effective[x]"),
    "MedicationDispense": ("medication[x]",),
    "MedicationRequest": ("medication[x]", "reported[x]"),
    "MedicationStatement": ("medication[x]", "effective[x]"),
    "Observation": ("effective[x]", "value[x]"),
    "Patient": ("deceased[x]", "multipleBirth[x]"),
    "Procedure": ("performed[x]",),
    "ServiceRequest": ("occurrence[x]", "asNeeded[x]"),
}
_EXTENDED_VALUES = tuple(
    f"_{name}" for name in choices("value[x]")
)  # a value that says by an extension why it is none
_PERIODS = tuple(
    "period effectivePeriod onsetPeriod abatementPeriod performedPeriod occurrencePeriod identifier.period name.period "
    "address.period classHistory.period statusHistory.period location.period event.period".split()
)


def _several_choices(resource: Resource) -> Iterator[str]:
    for choice in _CHOICES.get(resource.type or "", ()):
        if len(resource.all(choice)) > 1:
            yield resource.part.below(choice)


def _backward_period(resource: Resource) -> Iterator[str]:
    for period in resource.among(_PERIODS):
        if ends_before_start(period.text("start"), period.text("end")):
            yield f"{period.place}.end"


def _value_and_absence(observation: Resource) -> Iterator[str]:
    if observation.all("value[x]") and observation.part.has("dataAbsentReason"):
        yield observation.part.below("dataAbsentReason")


def _ended_but_active(condition: Resource) -> Iterator[str]:
    if condition.all("abatement[x]") and codes(condition.part, "clinicalStatus") & {
        "active",
        "recurrence",
        "relapse",
    }:
        yield condition.part.below("clinicalStatus")


def _error_with_status(resource: Resource) -> Iterator[str]:
    wrong = "entered-in-error" in codes(resource.part, "verificationStatus")
    if wrong and resource.part.has("clinicalStatus"):
        yield resource.part.below("clinicalStatus")


def _odd_extension(resource: Resource) -> Iterator[str]:
    """An extension says by a URL what it is, and has either a value or extensions of its own."""
    for extension in [*resource.all("extension"), *resource.all("modifierExtension")]:
        url = extension.text("url")
        values, inner = len(extension.children("value[x]")), extension.children("extension")
        said = values == 1 or (not values and any(map(extension.children, _EXTENDED_VALUES)))
        if not url or values > 1 or said == bool(inner):
            yield extension.place


def _modifier(resource: Resource) -> Iterator[str]:
    yield from (extension.place for extension in resource.all("modifierExtension"))


_R4 = errors(Guide.FHIR_R4)

FHIR_VALUE_RULES = (
    Rule(
        id="T0009",
        on=tuple(_CHOICES),
        path="value[x]",
        holds=_R4,
        broken=_several_choices,
        only_with=elements(*(choice for some in _CHOICES.values() for choice in some)),
        message=Words("One value is given in two types", "型を選ぶ要素（[x]）に複数の値があります"),
        fix=Words("Send one of them", "1つだけにしてください"),
    ),
    Rule(
        id="T0010",
        on=("*",),
        path="Period.end",
        holds=_R4,
        broken=_backward_period,
        only_with=elements(*_PERIODS),
        message=Words("A period ends before it starts", "期間の終了が開始より前です"),
        fix=Words("Mend start or end", "start か end を直してください"),
    ),
    Rule(
        id="T0014",
        on=("Observation",),
        path="Observation.dataAbsentReason",
        holds=_R4,
        broken=_value_and_absence,
        only_with=elements("dataAbsentReason"),
        message=Words(
            "There is a result, and a reason why there is none", "結果と、結果がない理由の両方があります"
        ),
        fix=Words("Leave one of them out", "どちらか一方にしてください"),
    ),
    Rule(
        id="T0015",
        on=("Condition",),
        path="Condition.clinicalStatus",
        holds=_R4,
        broken=_ended_but_active,
        only_with=elements("abatement[x]"),
        message=Words(
            "The condition has an end, and is called active", "終了日があるのに clinicalStatus が存続中です"
        ),
        fix=Words(
            "Use resolved, remission or inactive", "resolved, remission, inactive のいずれかにしてください"
        ),
    ),
    Rule(
        id="T0016",
        on=("Condition", "AllergyIntolerance"),
        path="clinicalStatus",
        holds=_R4,
        broken=_error_with_status,
        only_with=elements("verificationStatus"),
        message=Words(
            "What was entered in error has no clinicalStatus",
            "誤登録（entered-in-error）には clinicalStatus を付けられません",
        ),
        fix=Words("Leave clinicalStatus out", "clinicalStatus を削除してください"),
    ),
    Rule(
        id="T0017",
        on=("*",),
        path="extension",
        holds=_R4,
        broken=_odd_extension,
        only_with=elements("extension", "modifierExtension"),
        message=Words(
            "An extension needs a url, and either a value or extensions of its own",
            "拡張には url と、値か下位拡張のどちらか一方だけが必要です",
        ),
        fix=Words("Mend the extension, or leave it out", "拡張を直すか削除してください"),
    ),
    Rule(
        id="T0018",
        on=("*",),
        path="modifierExtension",
        holds=warnings(Guide.FHIR_R4),
        broken=_modifier,
        only_with=elements("modifierExtension"),
        message=Words(
            "A modifierExtension may turn the meaning round, and is not understood here",
            "modifierExtension は意味を変えることがありますが、ここでは解釈されません",
        ),
        fix=Words("Say it by FHIR's own elements", "FHIR の標準要素で表現してください"),
    ),
)
