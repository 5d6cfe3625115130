"""Referral, discharge summary and patient summary: what each puts into which section."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from tsuzuri.app.sample.draft import Draft, section, structured
from tsuzuri.app.sample.findings import Diagnosis, Result, Sensitivity
from tsuzuri.app.sample.information import Envelope
from tsuzuri.app.sample.people import Person
from tsuzuri.app.sample.places import Doctor, Place
from tsuzuri.app.sample.resources import Json, Visit, encounter, head, organization, practitioner
from tsuzuri.app.sample.treatment import Order, attached_text, care_plan


@dataclass(frozen=True)
class Contents:
    """What a document states of the patient. A document carries only what it has."""

    diagnoses: Sequence[Diagnosis] = ()
    past: Sequence[Diagnosis] = ()
    sensitivities: Sequence[Sensitivity] = ()
    results: Sequence[Result] = ()
    taken: Visit | None = (
        None  # when the specimens of the results were taken; None: on the day of the document
    )
    infections: Sequence[Result] = ()
    orders: Sequence[Order] = ()
    attachment: tuple[str, str] | None = None  # title, words
    words: dict[str, str] = field(default_factory=dict)  # section code -> narrative


def referral(
    envelope: Envelope,
    person: Person,
    visit: Visit,
    to: Place,
    to_doctor: Doctor,
    purpose: str,
    contents: Contents,
) -> Json:
    """診療情報提供書 from the visit's facility to *to*."""
    draft = Draft(envelope, person, visit)
    day = visit.at.date().isoformat()
    place, at, words = visit.place, envelope.at, contents.words
    met = draft.add(encounter(person, visit, day, reason=purpose))
    author = draft.add(practitioner(place, visit.doctor, at))
    sender = draft.add(organization(place, at, visit.department))
    # The recipient's resources are written by the sender, so they bear the sender's institution number.
    recipient = draft.add(organization(to, at, to_doctor.department, sender=place))
    recipient_doctor = draft.add(
        {**practitioner(to, to_doctor, at), "extension": head("Practitioner", "", place, at)["extension"]}
    )
    inner = [
        section("950", "紹介目的", purpose, [met]),
        section("340", "傷病名・主訴", _names(contents.diagnoses), draft.conditions(contents.diagnoses)),
        section("360", "現病歴", words["360"]),
    ]
    if contents.past:
        inner.append(section("370", "既往歴", _names(contents.past), draft.conditions(contents.past)))
    if contents.sensitivities:
        names = "、".join(one.allergen.name for one in contents.sensitivities)
        inner.append(section("510", "アレルギー・不耐性反応", names, draft.allergies(contents.sensitivities)))
    if contents.infections:
        inner.append(
            section(
                "520", "感染症情報", "感染症検査の結果", draft.results(contents.infections, contents.taken)
            )
        )
    if contents.results:
        inner.append(
            section("620", "検査結果", "直近の検査結果", draft.results(contents.results, contents.taken))
        )
    if contents.orders:
        names = "、".join(order.drug.name for order in contents.orders)
        inner.append(section("430", "投薬指示", names, draft.orders(contents.orders)))
    outer = [
        section("920", "紹介元情報", place.name, [sender, author]),
        section("910", "紹介先情報", to.name, [recipient, recipient_doctor]),
        structured(inner),
    ]
    if contents.attachment:
        title, text = contents.attachment
        file = draft.add(attached_text(person, visit, draft.subject, title, text))
        outer.append(section("210", "添付情報", title, [file]))
    made = draft.composition(
        "eReferral/StructureDefinition/JP_Composition_eReferral",
        "57133-1",
        "診療情報提供書",
        "OUTPATIENT",
        day,
    )
    made["encounter"] = {"reference": met}
    made["author"] = [
        {"reference": author, "type": "Practitioner"},
        {"reference": sender, "type": "Organization"},
    ]
    made["custodian"] = {"reference": sender}
    made["section"] = outer
    return draft.finish(made, "JP_Bundle_eReferral")


def discharge_summary(
    envelope: Envelope, person: Person, visit: Visit, admitted: date, left: date, contents: Contents
) -> Json:
    """退院時サマリー of a stay from *admitted* to *left*."""
    draft = Draft(envelope, person, visit)
    place, at, words = visit.place, envelope.at, contents.words
    stay = draft.add(encounter(person, visit, admitted.isoformat(), left.isoformat()))
    author = draft.add(practitioner(place, visit.doctor, at))
    keeper = draft.add(organization(place, at, visit.department))
    problems = draft.conditions(contents.diagnoses)
    inner = [
        section("312", "入院理由", words["312"]),
        section("322", "入院時詳細", f"{admitted.isoformat()} 入院", [stay]),
        section("342", "入院時診断", _names(contents.diagnoses), problems[:1]),
        section("360", "現病歴", words["360"]),
        section("333", "入院中経過", words["333"]),
        section("324", "退院時詳細", f"{left.isoformat()} 退院", [stay]),
        section("344", "退院時診断", _names(contents.diagnoses), problems),
    ]
    if contents.sensitivities:
        names = "、".join(one.allergen.name for one in contents.sensitivities)
        inner.append(section("510", "アレルギー・不耐性反応", names, draft.allergies(contents.sensitivities)))
    if contents.results:
        inner.append(
            section("620", "検査結果", "退院前の検査結果", draft.results(contents.results, contents.taken))
        )
    if contents.orders:
        names = "、".join(order.drug.name for order in contents.orders)
        inner.append(section("444", "退院時投薬指示", names, draft.orders(contents.orders)))
    inner.append(section("424", "退院時方針指示", words["424"]))
    made = draft.composition(
        "eDischargeSummary/StructureDefinition/JP_Composition_eDischargeSummary",
        "18842-5",
        "退院時サマリー",
        "DISCHARGE",
        admitted.isoformat(),
        left.isoformat(),
    )
    made["encounter"] = {"reference": stay}
    made["author"] = [
        {"reference": author, "type": "Practitioner"},
        {"reference": keeper, "type": "Organization"},
    ]
    made["custodian"] = {"reference": keeper}
    made["section"] = [structured(inner)]
    return draft.finish(made, "JP_Bundle_eDischargeSummary")


def patient_summary(
    envelope: Envelope, person: Person, visit: Visit, diagnoses: Sequence[Diagnosis], plan: str
) -> Json:
    """患者サマリー (療養計画書): written for the patient herself."""
    draft = Draft(envelope, person, visit)
    place, at, day = visit.place, envelope.at, visit.at.date().isoformat()
    met = draft.add(encounter(person, visit, day))
    author = draft.add(practitioner(place, visit.doctor, at))
    keeper = draft.add(organization(place, at, visit.department))
    planned = draft.add(care_plan(person, visit, draft.subject, plan))
    made = draft.composition(
        "ePCS/StructureDefinition/JP_Composition_ePCS",
        "56447-6",
        "患者サマリー（療養計画書）",
        "OUTPATIENT",
        day,
    )
    made["encounter"] = {"reference": met}
    made["author"] = [
        {"reference": author, "type": "Practitioner"},
        {"reference": keeper, "type": "Organization"},
    ]
    made["section"] = [section("422", "計画サマリー", plan, [planned, *draft.conditions(diagnoses)])]
    return draft.finish(made, "JP_Bundle_ePCS")


def _names(diagnoses: Sequence[Diagnosis]) -> str:
    return "、".join(diagnosis.name for diagnosis in diagnoses)
