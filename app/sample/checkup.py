"""The check-up report (健康診断結果報告書): what was measured, then what was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tsuzuri.app.sample.draft import Draft
from tsuzuri.app.sample.information import Envelope
from tsuzuri.app.sample.people import Person
from tsuzuri.app.sample.resources import (
    CORE,
    Json,
    Visit,
    coded,
    coding,
    fixed,
    head,
    identified,
    narrative,
    organization,
    practitioner,
    resource_number,
)

_PROFILE = "http://jpfhir.jp/fhir/eCheckup/StructureDefinition/"
_ITEMS = "urn:oid:1.2.392.200119.6.1005"
_SECTIONS = "http://jpfhir.jp/fhir/eCheckup/CodeSystem/section-code"
_YES_NO = "urn:oid:1.2.392.200119.6.2003"


@dataclass(frozen=True)
class Measure:
    code: str  # the check-up's own 17-digit item code
    name: str
    unit: str
    category: str
    decimals: int = 0
    low: float | None = None
    high: float | None = None


MEASURES: Mapping[str, Measure] = {
    "height": Measure("9N001000000000001", "身長", "cm", "body-measurement", 1),
    "weight": Measure("9N006000000000001", "体重", "kg", "body-measurement", 1),
    "bmi": Measure("9N011000000000001", "BMI", "kg/m2", "body-measurement", 1, 18.5, 24.9),
    "waist": Measure("9N016160100000001", "腹囲(実測)", "cm", "body-measurement", 1),
    "systolic": Measure("9A751000000000001", "収縮期血圧(1回目)", "mm[Hg]", "vital-signs", 0, None, 129),
    "diastolic": Measure("9A761000000000001", "拡張期血圧(1回目)", "mm[Hg]", "vital-signs", 0, None, 84),
    "triglyceride": Measure("3F015000002327101", "空腹時中性脂肪", "mg/dL", "laboratory", 0, 30, 149),
    "hdl": Measure("3F070000002327101", "HDLコレステロール", "mg/dL", "laboratory", 0, 40, None),
    "ldl": Measure("3F077000002327101", "LDLコレステロール", "mg/dL", "laboratory", 0, 60, 119),
    "ast": Measure("3B035000002327201", "AST(GOT)", "U/L", "laboratory", 0, None, 30),
    "alt": Measure("3B045000002327201", "ALT(GPT)", "U/L", "laboratory", 0, None, 30),
    "gamma": Measure("3B090000002327101", "γ-GT(γ-GTP)", "U/L", "laboratory", 0, None, 50),
    "hba1c": Measure("3D046000001906202", "HbA1c(NGSP値)", "%", "laboratory", 1, None, 5.5),
}
_QUESTIONS = (
    ("9N701000000000011", "服薬1(血圧)"),
    ("9N706000000000011", "服薬2(血糖)"),
    ("9N711000000000011", "服薬3(脂質)"),
    ("9N736000000000011", "喫煙"),
    ("9N716000000000011", "既往歴1(脳血管)"),
    ("9N721000000000011", "既往歴2(心血管)"),
    ("9N746000000000011", "30分以上の運動習慣"),
    ("9N771000000000011", "食べ方2(就寝前)"),
)


@dataclass(frozen=True)
class Body:
    """What stays from year to year."""

    height: int  # millimetres
    mass_index: int  # tenths

    @classmethod
    def draw(cls, rng: Random, sex: str) -> "Body":
        return cls((1_500 if sex == "female" else 1_620) + rng.randrange(180), 200 + rng.randrange(80))


def draw_measures(rng: Random, body: Body, hba1c: float, systolic: int, ldl: int) -> dict[str, float]:
    """One year's measures: the weight wavers a little, and the body mass index with it."""
    mass_index = body.mass_index + rng.randrange(12)
    return {
        "height": body.height / 10,
        "weight": mass_index * body.height * body.height / 10_000_000,
        "bmi": mass_index / 10,
        "waist": (590 + mass_index + rng.randrange(20)) / 10,
        "systolic": systolic,
        "diastolic": systolic * 6 // 10 + rng.randrange(8),
        "triglyceride": 70 + rng.randrange(90) + (40 if mass_index > 250 else 0),
        "hdl": 44 + rng.randrange(32),
        "ldl": ldl,
        "ast": 15 + rng.randrange(18),
        "alt": 11 + rng.randrange(28),
        "gamma": 13 + rng.randrange(50),
        "hba1c": hba1c,
    }


def checkup_report(
    envelope: Envelope,
    person: Person,
    visit: Visit,
    code: str,
    measured: Mapping[str, float],
    yes: Sequence[str],
) -> Json:
    """*code* is the document type: 53576-5 of the check-up guide or JPGCHKUP01 of the CLINS table, both in use."""
    draft = Draft(envelope, person, visit)
    place, at, day = visit.place, envelope.at, visit.at.date().isoformat()
    author = draft.add(practitioner(place, visit.doctor, at))
    keeper = draft.add(organization(place, at))
    came = head("Encounter", f"{_PROFILE}JP_Encounter_eCheckupGeneral", place, at)
    came["status"] = "finished"
    came["class"] = coding("http://jpfhir.jp/fhir/eCheckup/CodeSystem/encounter-category", "checkup", "健診")
    came["period"] = {"start": day, "end": day}
    came["serviceProvider"] = {"reference": keeper}
    met = draft.add(came)
    results = [draft.add(_measured(draft, MEASURES[name], value)) for name, value in measured.items()]
    answers = [draft.add(_answered(draft, item, name, item in yes)) for item, name in _QUESTIONS]
    made = draft.composition(
        "eCheckup/StructureDefinition/JP_Composition_eCheckupGeneral",
        code,
        "健康診断結果報告書",
        "",
        day,
        day,
    )
    made["category"] = [coded("urn:oid:2.16.840.1.113883.2.2.1.6.1001", "10", "特定健診情報")]
    made["event"][0]["code"] = [coded("urn:oid:1.2.392.200119.6.1002", "010", "特定健康診査")]
    made["encounter"] = {"reference": met}
    made["author"] = [{"reference": author}, {"reference": keeper}]
    made["custodian"] = {"reference": keeper}
    lines = [_line(MEASURES[name], value) for name, value in measured.items()]
    made["section"] = [
        _section("01011", "特定健診検査結果", lines, results),
        _section("01012", "特定健診問診結果", ["質問票の回答"], answers),
    ]
    return draft.finish(made, "JP_Bundle_eCheckupGeneral")


def _line(measure: Measure, value: float) -> str:
    return f"{measure.name} {fixed(value, measure.decimals)} {measure.unit}"


def _section(code: str, title: str, lines: Sequence[str], entries: Sequence[str]) -> Json:
    return {
        "title": title,
        "code": coded(_SECTIONS, code, f"{title}セクション"),
        "text": narrative(*lines),
        "entry": [{"reference": url} for url in entries],
    }


def _observed(draft: Draft, code: str, name: str, category: str) -> Json:
    visit = draft.visit
    made = head("Observation", f"{_PROFILE}JP_Observation_eCheckupGeneral", visit.place, draft.envelope.at)
    made["identifier"] = identified(
        resource_number(draft.person, visit.place, f"K{visit.at:%Y%m%d}-{code[:8]}")
    )
    made["status"] = "final"
    made["category"] = [coded(f"{CORE}CodeSystem/JP_SimpleObservationCategory_CS", category)]
    made["code"] = coded(_ITEMS, code, name, name)
    made["subject"] = {"reference": draft.subject}
    made["effectiveDateTime"] = visit.at.date().isoformat()
    return made


def _measured(draft: Draft, measure: Measure, value: float) -> Json:
    made = _observed(draft, measure.code, measure.name, measure.category)
    unit = {"unit": measure.unit, "system": "http://unitsofmeasure.org", "code": measure.unit}
    made["valueQuantity"] = {
        "value": fixed(value, measure.decimals),
        **unit,
    }
    above = measure.high is not None and value > measure.high
    below = measure.low is not None and value < measure.low
    if measure.low is not None or measure.high is not None:
        judged = "H" if above else "L" if below else "N"
        made["interpretation"] = [
            coded("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", judged)
        ]
        limits = {"low": measure.low, "high": measure.high}
        known = {side: fixed(limit, measure.decimals) for side, limit in limits.items() if limit is not None}
        made["referenceRange"] = [{side: {"value": limit, **unit} for side, limit in known.items()}]
    return made


def _answered(draft: Draft, code: str, name: str, yes: bool) -> Json:
    made = _observed(draft, code, name, "social-history")
    made["valueCodeableConcept"] = coded(_YES_NO, *(("1", "はい") if yes else ("2", "いいえ")))
    return made
