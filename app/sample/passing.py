"""Courses that pass: check-ups only, a short illness, a fracture, an ulcer."""

from datetime import timedelta

from tsuzuri.app.sample import codes
from tsuzuri.app.sample.chart import Chart
from tsuzuri.app.sample.documents import Contents
from tsuzuri.app.sample.findings import LEFT, RIGHT
from tsuzuri.app.sample.panels import (
    NEGATIVE,
    blood_count,
    first_day,
    yearly_check_ups,
)
from tsuzuri.app.sample.places import AOBADAI, KOMOREBI, SAKANOUE, SHIOMI
from tsuzuri.app.sample.treatment import Order


def healthy(chart: Chart) -> None:
    yearly_check_ups(chart, 3 + chart.rng.randrange(3), systolic=116)


def passing_illness(chart: Chart) -> None:
    rng, start = chart.rng, first_day(chart.rng, 500)
    illness = rng.choice((codes.COMMON_COLD, codes.GASTROENTERITIS))
    visit = chart.visit(SAKANOUE, "総合診療科", start)
    chart.diagnose(visit, illness, visit.at.date().isoformat(), principal=True)
    mistaken = rng.random() < 0.3
    if mistaken:
        chart.diagnose(visit, codes.ASTHMA, visit.at.date().isoformat())
    chart.send_problems(visit)
    chart.send_report(visit, blood_count(rng, crp=120))
    well = chart.visit(SAKANOUE, "総合診療科", start + timedelta(days=9))
    chart.resolve(well, illness, well.at.date().isoformat())
    if mistaken:
        chart.strike(well, codes.ASTHMA)
    chart.send_problems(well)
    if rng.random() < 0.6:
        chart.sensitise(well, rng.choice((codes.PEANUT, codes.CEDAR, codes.CAT, codes.BUCKWHEAT)), "2016")
        chart.send_sensitivities(well)


def fracture(chart: Chart) -> None:
    rng, start = chart.rng, first_day(chart.rng, 900)
    side = rng.choice((LEFT, RIGHT))
    visit = chart.visit(KOMOREBI, "整形外科", start)
    day = visit.at.date()
    chart.diagnose(visit, codes.OSTEOPOROSIS, str(day.year - 3))
    chart.diagnose(visit, codes.HIP_FRACTURE, day.isoformat(), principal=True, side=side)
    chart.send_problems(visit)
    contents = Contents(
        diagnoses=[one for one in chart.problems(KOMOREBI) if one.side],
        past=[one for one in chart.problems(KOMOREBI) if not one.side],
        infections=NEGATIVE,
        orders=[Order(codes.ACETAMINOPHEN, 3), Order(codes.ALENDRONATE, 28)],
        words={
            "360": f"本日、自宅の段差で転倒し{side[1]}股関節を打った。立つことができず家族に付き添われて来院した。"
        },
    )
    hospital = rng.choice((SHIOMI, AOBADAI))
    chart.refer(visit, hospital, "整形外科", "手術の適応を含め、入院での治療をお願いします。", contents)
    admitted = day + timedelta(days=1)
    stay = chart.visit(hospital, "整形外科", admitted, "IMP")
    chart.diagnose(stay, codes.HIP_FRACTURE, day.isoformat(), principal=True, side=side)
    chart.send_problems(stay)
    chart.send_report(stay, [*NEGATIVE, *blood_count(rng, crp=190)])
    leaving = chart.visit(hospital, "整形外科", day + timedelta(days=18 + rng.randrange(12)), "IMP")
    left = Contents(
        diagnoses=chart.problems(hospital),
        results=blood_count(rng, crp=40),
        orders=[Order(codes.ACETAMINOPHEN, 14), Order(codes.ALENDRONATE, 28)],
        words={
            "312": "手術のための入院。",
            "360": "自宅で転倒して受傷し、翌日に紹介されて入院した。",
            "333": "入院2日目に骨接合術を行い、翌日から離床した。創部の感染はない。杖で室内を歩ける。",
            "424": "紹介元で通院とリハビリテーションを続ける。3か月後に当院で画像を確認する。",
        },
    )
    chart.discharge(leaving, admitted, left)
    again = chart.visit(KOMOREBI, "整形外科", leaving.at.date() + timedelta(days=90))
    chart.resolve(again, codes.HIP_FRACTURE, again.at.date().isoformat())
    chart.send_problems(again)


def ulcer(chart: Chart) -> None:
    rng, start = chart.rng, first_day(chart.rng, 700)
    stay = chart.visit(AOBADAI, "消化器科", start, "IMP")
    chart.diagnose(stay, codes.DUODENAL_ULCER, start.isoformat(), principal=True)
    chart.send_problems(stay)
    if rng.random() < 0.5:
        chart.sensitise(stay, codes.AMOXICILLIN_ALLERGY, "2014", flags=("LTS",))
        chart.sensitise(stay, codes.PEANUT, "1999")
        chart.send_sensitivities(stay)
    chart.send_report(stay, [*NEGATIVE, *blood_count(rng, crp=25)])
    leaving = chart.visit(AOBADAI, "消化器科", start + timedelta(days=6 + rng.randrange(5)), "IMP")
    contents = Contents(
        diagnoses=chart.problems(AOBADAI),
        sensitivities=chart.sensitivities(AOBADAI),
        results=blood_count(rng, crp=10),
        orders=[Order(codes.VONOPRAZAN, 28)],
        words={
            "312": "黒色便と貧血のための入院。",
            "360": "3日前から黒い便に気づき、ふらつきが強くなって受診した。",
            "333": "緊急内視鏡で潰瘍からの出血を止めた。翌日から食事を始め、再出血はない。",
            "424": "胃酸を抑える薬を続ける。2か月後に内視鏡で治り具合を確認する。",
        },
    )
    chart.discharge(leaving, start, contents)
    healed = chart.visit(AOBADAI, "消化器科", start + timedelta(days=75))
    chart.resolve(healed, codes.DUODENAL_ULCER, healed.at.date().isoformat())
    chart.send_problems(healed)
