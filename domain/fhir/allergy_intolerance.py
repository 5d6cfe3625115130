"""薬剤アレルギー等 and その他アレルギー等: AllergyIntolerance."""

from tsuzuri.domain.fhir.condition import onset
from tsuzuri.domain.fhir.elements import Element, label
from tsuzuri.domain.fhir.entry import Source, detail_of, moment_of, notes, read_entry, status_code
from tsuzuri.domain.record import Entry
from tsuzuri.domain.vocabulary import RecordClass

_DRUGS = frozenset({"medication", "biologic"})
_SEVERITIES = {"mild": "軽度", "moderate": "中等度", "severe": "重度"}


def allergy_intolerance(source: Source) -> Entry:
    resource = source.resource
    is_drug = not _DRUGS.isdisjoint(resource.texts("category"))
    return read_entry(
        source,
        RecordClass.DRUG_ALLERGY if is_drug else RecordClass.OTHER_ALLERGY,
        concept=resource.element("code"),
        effective=moment_of(resource, "onsetDateTime", "onsetPeriod"),
        issued=["recordedDate"],
        authors=["recorder", "asserter"],
        status=status_code(resource, "clinicalStatus"),
        verification=status_code(resource, "verificationStatus"),
        detail=detail_of(_criticality(resource), *_reactions(resource), onset(resource), *notes(resource)),
    )


def _criticality(resource: Element) -> str | None:
    return "重篤化のおそれが高い" if resource.text("criticality") == "high" else None


def _reactions(resource: Element) -> list[str]:
    return [text for text in map(_reaction, resource.elements("reaction")) if text]


def _reaction(reaction: Element) -> str | None:
    """ "アレルギー性鼻炎（軽度）"; the severity alone where no manifestation is told."""
    told = [label(manifestation) for manifestation in reaction.elements("manifestation")]
    symptoms = "・".join(symptom for symptom in told if symptom) or reaction.text("description")
    severity = _SEVERITIES.get(reaction.text("severity") or "")
    if symptoms and severity:
        return f"{symptoms}（{severity}）"
    return symptoms or (f"反応 {severity}" if severity else None)
