"""A document as a page: what stands where, and what a reader who may not see all of it must not find."""

import pytest

from fhir_examples import FACILITY, OTHER_FACILITY, a_resource, quantity
from rendering_examples import (
    WORDS,
    a_diagnosis,
    a_referral,
    a_section,
    headings,
    marked,
    page,
)

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_sections_stand_in_clinical_order_under_japanese_headings_and_others_after_them() -> None:
    sections = [
        a_section("430", words="薬"),
        a_section("999", words="知らない"),
        a_section("300", section=[a_section("340", words="病"), a_section("950", words="目的")]),
        a_section("920", "Organization/from"),
        a_section("910", "Organization/to"),
    ]

    html = page(a_referral(sections=sections))

    assert headings(html) == ["紹介先", "紹介元", "紹介目的", "傷病名・主訴", "投薬指示", "題999"]


def test_the_head_says_what_it_is_of_whom_from_whom_to_whom_and_when_in_japan() -> None:
    html = page(a_referral(sections=[a_section("910", "Organization/to")], date="2026-01-02T03:00:00Z"))

    for told in (
        "<h1>見本の文書</h1>",
        "<dd>診療情報提供書</dd>",
        "<dd>2026年1月2日 12:00</dd>",
        "<dd>見本 花子（サンプル ハナコ）</dd>",
        "<dd>1961年2月</dd>",
        f"<dt>紹介元</dt><dd>見本診療所（{FACILITY}）</dd>",
        f"<dt>紹介先</dt><dd>見本病院（{OTHER_FACILITY}）</dd>",
        "<dd>医師 一</dd>",
        "2026年11月22日 12:00 に 見本診療所 が登録しました。",
        "原本は受け取ったままの形で保管しています。",
    ):
        assert told in html


def test_results_show_value_unit_range_and_what_is_out_of_it() -> None:
    result = a_resource(
        "Observation",
        id="o",
        code={"text": "カリウム"},
        valueQuantity=quantity(5.9, "mmol/L"),
        referenceRange=[{"low": quantity(3.6, "mmol/L"), "high": quantity(4.8, "mmol/L")}],
    )

    html = page(a_referral(result, sections=[a_section("620", "Observation/o")]))

    assert "<td>カリウム</td><td>5.9 mmol/L</td><td>3.6 〜 4.8</td><td>異常</td>" in html


def test_prescriptions_show_the_dose_and_allergies_the_reaction() -> None:
    drug = a_resource("MedicationRequest", id="m", dosageInstruction=[{"text": "１日１回朝食後"}])
    allergy = a_resource(
        "AllergyIntolerance",
        id="a",
        code={"text": "さば"},
        category=["food"],
        reaction=[{"manifestation": [{"text": "じんま疹"}], "severity": "mild"}],
    )

    sections = [a_section("430", "MedicationRequest/m"), a_section("510", "AllergyIntolerance/a")]
    html = page(a_referral(drug, allergy, sections=sections))

    assert "<td>見本錠</td><td>１日１回朝食後</td>" in html
    assert "<td>さば</td><td>その他アレルギー等</td><td>じんま疹（軽度）</td>" in html


def test_a_refuted_diagnosis_says_so() -> None:
    code = {"coding": [{"code": "refuted"}]}

    html = page(a_referral(a_diagnosis("c", "胃癌", verificationStatus=code), sections=[]))

    assert "<td>胃癌</td><td>否定</td>" in html


def test_who_may_see_an_untold_diagnosis_reads_since_when_it_is_marked() -> None:
    diagnosis = a_diagnosis("c", "膵癌", **marked("UNINFORMED"))

    assert "<td>未告知（2026年1月2日設定）</td>" in page(a_referral(diagnosis, sections=[]))


def test_what_no_section_names_is_shown_at_the_end() -> None:
    vaccination = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"text": "肺炎球菌ワクチン"},
        "patient": {"reference": "Patient/p"},
        "occurrenceDateTime": "2025-10-01",
    }
    sections = [a_section("360", words=WORDS)]

    html = page(a_referral(a_diagnosis("c", "狭心症"), vaccination, sections=sections))

    assert headings(html) == ["現病歴", "その他の項目"]
    assert "<td>狭心症</td>" in html and "<li>肺炎球菌ワクチン　2025年10月1日</li>" in html


# --- hiding


def test_a_hidden_entry_leaves_neither_name_nor_heading_and_the_page_is_as_if_it_were_not_there() -> None:
    told, untold = a_diagnosis("c", "狭心症"), a_diagnosis("u", "膵癌", **marked("UNINFORMED"))
    purpose = a_section("370", "Condition/c", words="狭心症の既往")
    with_it = [purpose, a_section("340", "Condition/u", words="膵癌です", title="膵癌")]

    shown = page(a_referral(told, untold, sections=with_it), words=False, hidden={"膵癌"})

    assert shown == page(a_referral(told, sections=[purpose]), words=False)
    assert headings(shown) == ["既往歴"]


def test_without_the_senders_words_no_narrative_no_title_and_nothing_that_is_no_entry_is_shown() -> None:
    procedure = {
        "resourceType": "Procedure",
        "id": "x",
        "status": "completed",
        "code": {"text": "膵頭十二指腸切除"},
        "subject": {"reference": "Patient/p"},
        "performedDateTime": "2025-05",
    }
    sections = [
        a_section("730", "Procedure/x", words=WORDS),
        a_section("zzz", "Organization/to", title=WORDS),
    ]

    with_words = page(a_referral(procedure, sections=sections))
    without = page(a_referral(procedure, sections=sections), words=False)

    assert "膵頭十二指腸切除　2025年5月" in with_words and with_words.count(WORDS) == 2
    assert "膵頭十二指腸切除" not in without and WORDS not in without
    assert headings(without) == ["その他の項目"]


@pytest.mark.parametrize("words", [True, False])
def test_an_entry_that_is_not_seen_is_not_shown_by_way_of_a_section_either(words: bool) -> None:
    """The index has no row of it: it expired, or was erased by itself."""
    sections = [a_section("340", "Condition/c")]

    html = page(a_referral(a_diagnosis("c", "膵癌"), sections=sections), words=words, hidden={"膵癌"})

    assert "膵癌" not in html


def test_what_a_hidden_entry_refers_to_or_contains_is_not_shown() -> None:
    medication = {"resourceType": "Medication", "id": "drug", "code": {"text": "ゲムシタビン"}}
    doctor = {"resourceType": "Practitioner", "id": "inner", "name": [{"text": "腫瘍 内科医"}]}
    request = a_resource(
        "MedicationRequest",
        id="m",
        contained=[doctor],
        requester={"reference": "#inner"},
        medicationReference={"reference": "Medication/drug"},
    )
    del request["medicationCodeableConcept"]
    bundle = a_referral(medication, request, sections=[a_section("430", "MedicationRequest/m")])

    assert "ゲムシタビン" in page(bundle)
    hidden = page(bundle, words=False, hidden={"ゲムシタビン"})
    assert "ゲムシタビン" not in hidden and "腫瘍" not in hidden


# --- hostile


def test_whatever_is_sent_as_text_arrives_as_text() -> None:
    diagnosis = a_diagnosis("c", HOSTILE, note=[{"text": HOSTILE}], onsetString=HOSTILE)
    sections = [a_section("340", "Condition/c", words="a"), a_section("998", words="b", title=HOSTILE)]

    html = page(a_referral(diagnosis, sections=sections, title=HOSTILE))

    assert "<script" not in html and "<img" not in html
    assert html.count("&lt;script&gt;") >= 5  # title twice, heading, name, note


def test_the_page_runs_and_fetches_nothing() -> None:
    html = page(a_referral(sections=[a_section("360", words='<img src="http://tracker/x.png"/>見て')]))

    assert "default-src 'none'" in html
    for reaching_out in ("src=", "href=", "<script", "<link", "url(", "@import", "tracker"):
        assert reaching_out not in html


def test_an_element_that_intake_has_not_looked_at_costs_the_page_nothing_else() -> None:
    """FHIR's shape check lets the JSON of an object pass as text."""
    as_text = '{"start": "2026-01-01"}'
    stay = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "class": {"code": "IMP"},
        "period": as_text,
    }
    procedure = {
        "resourceType": "Procedure",
        "id": "x",
        "status": "completed",
        "subject": {"reference": "Patient/p"},
        "code": '{"text": "手術"}',
    }
    odd = a_section("370", "Encounter/e", "Procedure/x", words="残る")
    odd["entry"].append('{"reference": "Encounter/e"}')
    other = a_section("360") | {"text": '{"status": "empty", "div": "<div>x</div>"}'}

    html = page(
        a_referral(
            stay,
            procedure,
            sections=[odd, other, a_section("340", words="これも")],
            event=[{"period": as_text}],
        )
    )

    assert headings(html) == ["傷病名・主訴", "既往歴"] and "残る" in html and "これも" in html
