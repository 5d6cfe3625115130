"""Patient 0: type 2 diabetes over four years, seen by a clinic and a hospital, told of all but one thing."""

from datetime import date

from tsuzuri.app.sample import laboratory as lab
from tsuzuri.app.sample.chart import Chart
from tsuzuri.app.sample.codes import (
    AMLODIPINE,
    AMOXICILLIN_ALLERGY,
    AZILSARTAN,
    DYSLIPIDAEMIA,
    HYPERTENSION,
    MACKEREL,
    METFORMIN,
    PANCREATIC_CYST,
    RETINOPATHY,
    ROSUVASTATIN,
    SITAGLIPTIN,
    TYPE_2_DIABETES,
)
from tsuzuri.app.sample.documents import Contents
from tsuzuri.app.sample.findings import Result
from tsuzuri.app.sample.places import AOBADAI, MATSUKAZE
from tsuzuri.app.sample.resources import Visit
from tsuzuri.app.sample.treatment import Order

HBA1C_COURSE = (8.4, 8.2, 7.9, 7.7, 7.6, 7.8, 8.1, 7.4, 7.2, 7.1, 7.0, 6.9, 7.0, 6.8, 6.9, 6.8, 6.7)
_FIRST = date(2022, 10, 18)
_CORRECTED = 12  # the place in the course of the report that is sent twice
_ADMITTED, _LEFT = date(2024, 6, 3), date(2024, 6, 14)
_MEDICATED = ("9N701000000000011", "9N706000000000011", "9N711000000000011")  # for pressure, sugar, lipids
_AT_HOSPITAL = (7, 9, 11, 13, 15)  # from the stay on, the two take turns


def write(chart: Chart) -> None:
    _check_ups(chart)
    _first_visit(chart)
    for place in range(6):
        _quarter(chart, place)
    _lipids(chart)
    _referral(chart, *_quarter(chart, 6))
    _stay(chart)
    for place in range(7, len(HBA1C_COURSE)):
        _quarter(chart, place)
    _after_the_stay(chart)


def quarter_day(place: int) -> date:
    """The day of the *place*-th visit: every three months."""
    months = _FIRST.month - 1 + 3 * place
    return _FIRST.replace(year=_FIRST.year + months // 12, month=months % 12 + 1)


def _first_visit(chart: Chart) -> None:
    visit = chart.visit(MATSUKAZE, "内科", _FIRST)
    chart.diagnose(visit, TYPE_2_DIABETES, "2022-10-18", principal=True)
    chart.diagnose(visit, HYPERTENSION, "2019-05")
    chart.send_problems(visit)
    chart.sensitise(visit, MACKEREL, "1998")
    chart.send_sensitivities(visit)


def _quarter(chart: Chart, place: int) -> tuple[Visit, list[Result]]:
    rng, a1c = chart.rng, HBA1C_COURSE[place]
    hospital = place in _AT_HOSPITAL
    visit = chart.visit(*((AOBADAI, "糖尿病内科") if hospital else (MATSUKAZE, "内科")), quarter_day(place))
    creatinine = 0.71 + 0.01 * place + rng.randrange(5) / 100
    results = [
        Result(lab.HBA1C, a1c),
        Result(lab.GLUCOSE, round(a1c * 19) - 12 + rng.randrange(18)),
        Result(lab.CREATININE, creatinine),
        Result(lab.LDL, 152 - 3 * place + rng.randrange(12)),
        Result(lab.TRIGLYCERIDE, 178 - 4 * place + rng.randrange(30)),
        Result(lab.HDL, 46 + rng.randrange(9)),
    ]
    if hospital:
        results += [
            Result(lab.URINE_ALBUMIN, 24 + rng.randrange(90) / 10),
            Result(lab.UREA_NITROGEN, 13.2 + rng.randrange(40) / 10),
            Result(lab.POTASSIUM, 4.0 + rng.randrange(6) / 10),
            Result(lab.SODIUM, 139 + rng.randrange(5)),
        ]
    elif place % 2 == 0:
        results += [Result(lab.AST, 24 + rng.randrange(12)), Result(lab.ALT, 27 + rng.randrange(18))]
    if place == _CORRECTED:
        # A slip of the decimal point, noticed two days later: the one Bundle that replaces another.
        slip = [
            one if one.analyte is not lab.CREATININE else Result(lab.CREATININE, creatinine * 10)
            for one in results
        ]
        number = chart.send_report(visit, slip)
        chart.send_report(visit, results, corrects=number, delay_days=2)
    else:
        chart.send_report(visit, results)
    return visit, results


def _lipids(chart: Chart) -> None:
    visit = chart.visit(MATSUKAZE, "内科", date(2023, 4, 25))
    chart.diagnose(visit, DYSLIPIDAEMIA, "2023-04-18")
    chart.send_problems(visit)


def _referral(chart: Chart, taken: Visit, results: list[Result]) -> None:
    visit = chart.visit(MATSUKAZE, "内科", date(2024, 5, 9))
    contents = Contents(
        diagnoses=[one for one in chart.problems(MATSUKAZE) if one.disease is not HYPERTENSION],
        past=[one for one in chart.problems(MATSUKAZE) if one.disease is HYPERTENSION],
        sensitivities=chart.sensitivities(MATSUKAZE),
        results=results,
        taken=taken,
        orders=[Order(METFORMIN, 28), Order(AMLODIPINE, 28), Order(ROSUVASTATIN, 28)],
        attachment=(
            "家庭血圧と自己測定血糖の記録",
            "2024年4月\n朝 血圧 138/84  血糖 162\n夕 血圧 134/80  血糖 187\n（本人の手帳から転記）\n",
        ),
        words={
            "360": "健診を機に2022年秋から通院中。内服で一時改善したが、この半年でHbA1cが再び上昇した。"
            "夕食が遅く、間食が増えている。視力の変化は自覚していない。"
        },
    )
    purpose = "血糖管理の立て直しと合併症の評価のため、教育入院をご検討ください。"
    chart.refer(visit, AOBADAI, "糖尿病内科", purpose, contents)


def _stay(chart: Chart) -> None:
    visit = chart.visit(AOBADAI, "糖尿病内科", _ADMITTED, "IMP")
    chart.diagnose(visit, TYPE_2_DIABETES, "2022-10-18", principal=True)
    chart.diagnose(visit, HYPERTENSION, "2019-05")
    chart.send_problems(visit)
    chart.sensitise(visit, AMOXICILLIN_ALLERGY, "2011-08", flags=("LTS",))
    chart.sensitise(visit, MACKEREL, "1998")
    chart.send_sensitivities(visit)
    looked_for = (lab.HBS_ANTIGEN, lab.HCV_ANTIBODY, lab.SYPHILIS_STS, lab.SYPHILIS_TP)
    chart.send_report(visit, [Result(analyte, False) for analyte in looked_for])
    rng = chart.rng
    on_admission = [
        Result(lab.HBA1C, 8.0),
        Result(lab.GLUCOSE, 176 + rng.randrange(20)),
        Result(lab.CREATININE, 0.8),
        Result(lab.URINE_ALBUMIN, 34.6),
        Result(lab.UREA_NITROGEN, 15.1),
        Result(lab.LDL, 131 + rng.randrange(8)),
    ]
    chart.send_report(chart.visit(AOBADAI, "糖尿病内科", date(2024, 6, 4), "IMP"), on_admission)
    leaving = chart.visit(AOBADAI, "糖尿病内科", _LEFT, "IMP")
    chart.diagnose(leaving, RETINOPATHY, "2024-06-06")
    contents = Contents(
        diagnoses=chart.problems(AOBADAI),
        sensitivities=chart.sensitivities(AOBADAI),
        results=[Result(lab.GLUCOSE, 128 + rng.randrange(12)), Result(lab.CREATININE, 0.79)],
        orders=[Order(METFORMIN, 14), Order(SITAGLIPTIN, 14), Order(AZILSARTAN, 14), Order(ROSUVASTATIN, 14)],
        words={
            "312": "紹介による教育入院。",
            "360": "外来で内服治療中に血糖管理が悪化し、かかりつけ医から紹介された。",
            "333": "食事療法と運動療法を再開し、薬剤を調整した。空腹時血糖は120台まで低下。"
            "眼科診察で単純網膜症を認めた。低血糖はなかった。",
            "424": "かかりつけ医と当院で交互に、3か月ごとの採血を続ける。眼科は半年ごとに受診する。",
        },
    )
    chart.discharge(leaving, _ADMITTED, contents)
    chart.send_problems(leaving)


def _after_the_stay(chart: Chart) -> None:
    plan = chart.visit(MATSUKAZE, "内科", date(2025, 4, 22))
    chart.summarise(
        plan,
        "次の受診までの目標はHbA1c 7.0 %未満、体重は今より1 kg減です。夕食は20時までに、"
        "歩く時間を1日20分増やしましょう。足の傷に気づいたら早めにご連絡ください。",
    )
    found = chart.visit(AOBADAI, "糖尿病内科", date(2025, 7, 24))
    chart.diagnose(found, PANCREATIC_CYST, "2025-07-18", flags=("UNINFORMED",))
    chart.send_problems(found)
    again = chart.visit(MATSUKAZE, "内科", date(2026, 4, 21))
    chart.summarise(
        again,
        "HbA1cは目標に届いています。今の生活を続けましょう。塩分は1日6 gまで、血圧は毎朝測って手帳に残してください。",
    )


def _check_ups(chart: Chart) -> None:
    for year, a1c, code in (
        (2022, 8.5, "53576-5"),
        (2023, 7.7, "53576-5"),
        (2024, 7.3, "JPGCHKUP01"),
        (2025, 7.0, "53576-5"),
        (2026, 6.8, "53576-5"),
    ):
        taking = _MEDICATED if year > 2022 else ()
        day = date(year, 9, 8 + chart.rng.randrange(14))
        chart.check_up(day, code, a1c, 142 - 3 * (year - 2022), 151 - 8 * (year - 2022), taking)
