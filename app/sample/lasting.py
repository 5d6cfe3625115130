"""Courses that stay: high blood pressure, asthma, kidney disease, hepatitis B carriers."""

from datetime import timedelta

from tsuzuri.app.sample import codes
from tsuzuri.app.sample import laboratory as lab
from tsuzuri.app.sample.chart import Chart
from tsuzuri.app.sample.documents import Contents
from tsuzuri.app.sample.findings import Result
from tsuzuri.app.sample.panels import (
    blood_count,
    first_day,
    liver_panel,
    metabolic_panel,
    renal_panel,
    yearly_check_ups,
)
from tsuzuri.app.sample.places import AOBADAI, HIBARINO, MATSUKAZE, SAKANOUE, SHIOMI
from tsuzuri.app.sample.treatment import Order


def hypertension(chart: Chart) -> None:
    rng, start = chart.rng, first_day(chart.rng, 900)
    place = rng.choice((MATSUKAZE, SAKANOUE))
    visit = chart.visit(place, "内科", start)
    chart.diagnose(visit, codes.HYPERTENSION, visit.at.date().isoformat(), principal=True)
    chart.send_problems(visit)
    if rng.random() < 0.4:
        chart.sensitise(visit, rng.choice((codes.CEDAR, codes.BUCKWHEAT)), str(1990 + rng.randrange(25)))
        chart.send_sensitivities(visit)
    for turn in range(2 + rng.randrange(3)):
        again = chart.visit(place, "内科", start + timedelta(days=91 * turn + rng.randrange(10)))
        chart.send_report(again, metabolic_panel(rng, a1c=56 + rng.randrange(6), creatinine=78))
    later = chart.visit(place, "内科", start + timedelta(days=400 + rng.randrange(60)))
    chart.diagnose(later, codes.DYSLIPIDAEMIA, later.at.date().isoformat())
    chart.send_problems(later)
    if rng.random() < 0.5:
        chart.summarise(
            later, "家庭血圧は135/85 mmHg未満を目標にします。減塩を続け、週に3日は30分歩きましょう。"
        )
    yearly_check_ups(chart, 1 + rng.randrange(2), systolic=144)


def asthma(chart: Chart) -> None:
    rng, start = chart.rng, first_day(chart.rng, 800)
    visit = chart.visit(HIBARINO, "呼吸器科", start)
    chart.diagnose(visit, codes.ASTHMA, str(2005 + rng.randrange(15)), principal=True)
    chart.diagnose(visit, codes.RHINITIS, str(2008 + rng.randrange(14)))
    chart.send_problems(visit)
    for allergen in (codes.MITE, rng.choice((codes.CAT, codes.CEDAR))):
        chart.sensitise(visit, allergen, str(2006 + rng.randrange(12)))
    if rng.random() < 0.5:
        chart.sensitise(visit, codes.LOXOPROFEN_ALLERGY, "2019-11", flags=("LTS",))
    chart.send_sensitivities(visit)
    chart.send_report(visit, blood_count(rng, crp=8))
    if rng.random() < 0.4:
        worse = chart.visit(HIBARINO, "呼吸器科", start + timedelta(days=210))
        contents = Contents(
            diagnoses=chart.problems(HIBARINO),
            sensitivities=chart.sensitivities(HIBARINO),
            results=blood_count(rng, crp=60),
            orders=[Order(codes.INHALED_STEROID, 30), Order(codes.MONTELUKAST, 30)],
            words={"360": "吸入薬を増やしても夜間の咳で目が覚める。発熱はない。"},
        )
        chart.refer(worse, SHIOMI, "呼吸器科", "治療の強化と気道の精査をお願いします。", contents)
        seen = chart.visit(SHIOMI, "呼吸器科", start + timedelta(days=224))
        chart.diagnose(seen, codes.ASTHMA, "2010", principal=True)
        chart.send_problems(seen)
        chart.send_report(seen, blood_count(rng, crp=30))
    yearly_check_ups(chart, 1, systolic=118)


def kidney_disease(chart: Chart) -> None:
    rng, start = chart.rng, first_day(chart.rng, 1_100)
    visit = chart.visit(MATSUKAZE, "内科", start)
    chart.diagnose(visit, codes.KIDNEY_DISEASE, str(start.year - 2), principal=True)
    chart.diagnose(visit, codes.HYPERTENSION, str(start.year - 9))
    chart.diagnose(visit, codes.HYPERURICAEMIA, str(start.year - 5))
    chart.send_problems(visit)
    taken, results = visit, renal_panel(rng, creatinine=122)
    chart.send_report(taken, results)
    for turn in range(1, 3 + rng.randrange(3)):
        taken = chart.visit(MATSUKAZE, "内科", start + timedelta(days=91 * turn))
        results = renal_panel(rng, creatinine=128 + 14 * turn)
        chart.send_report(taken, results)
    refers = chart.visit(MATSUKAZE, "内科", start + timedelta(days=470))
    contents = Contents(
        diagnoses=chart.problems(MATSUKAZE),
        results=results,
        taken=taken,
        orders=[Order(codes.AZILSARTAN, 28), Order(codes.FEBUXOSTAT, 28)],
        words={"360": "この1年でクレアチニンが少しずつ上がっている。むくみはなく、尿量も保たれている。"},
    )
    chart.refer(
        refers, AOBADAI, "腎臓内科", "腎機能低下の原因の評価と今後の方針についてご意見をください。", contents
    )
    seen = chart.visit(AOBADAI, "腎臓内科", start + timedelta(days=490))
    chart.diagnose(seen, codes.KIDNEY_DISEASE, str(start.year - 2), principal=True)
    chart.send_problems(seen)
    chart.send_report(seen, renal_panel(rng, creatinine=186))
    if rng.random() < 0.6:
        plan = chart.visit(MATSUKAZE, "内科", start + timedelta(days=560))
        chart.summarise(
            plan,
            "塩分は1日6 g未満に。痛み止めを買う前に必ずご相談ください。体重と血圧を毎朝書きとめましょう。",
        )


def hepatitis_b(chart: Chart) -> None:
    rng, start = chart.rng, first_day(chart.rng, 900)
    visit = chart.visit(SAKANOUE, "内科", start)
    positive, liver = Result(lab.HBS_ANTIGEN, True, flags=("LTS",)), liver_panel(rng)
    chart.send_report(visit, [positive, Result(lab.HCV_ANTIBODY, False), *liver])
    chart.diagnose(visit, codes.HEPATITIS_B, visit.at.date().isoformat(), flags=("LTS",), principal=True)
    chart.send_problems(visit)
    refers = chart.visit(SAKANOUE, "内科", start + timedelta(days=14))
    contents = Contents(
        diagnoses=chart.problems(SAKANOUE),
        results=liver,
        infections=[positive],
        taken=visit,
        words={"360": "職場の検査でHBs抗原陽性を指摘された。自覚症状はない。母に肝疾患の既往がある。"},
    )
    chart.refer(
        refers, SHIOMI, "消化器科", "経過観察の間隔と治療の適応についてご判断をお願いします。", contents
    )
    seen = chart.visit(SHIOMI, "消化器科", start + timedelta(days=30))
    chart.diagnose(seen, codes.HEPATITIS_B, visit.at.date().isoformat(), flags=("LTS",), principal=True)
    chart.send_problems(seen)
    for turn in range(2 + rng.randrange(3)):
        chart.send_report(
            chart.visit(SHIOMI, "消化器科", start + timedelta(days=40 + 182 * turn)), liver_panel(rng)
        )
