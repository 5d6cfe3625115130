"""What several courses draw alike: first days, laboratory panels, yearly check-ups.

Whole numbers are drawn and divided once, so that every machine draws the same decimals.
"""

from datetime import date, timedelta
from random import Random

from tsuzuri.app.sample import laboratory as lab
from tsuzuri.app.sample.chart import Chart
from tsuzuri.app.sample.findings import Result

# The last months before the sample's today stay free, so that a hiding flag comes after all else at its hospital.
LATEST = date(2026, 7, 1)
NEGATIVE = (Result(lab.HBS_ANTIGEN, False), Result(lab.HCV_ANTIBODY, False))


def first_day(rng: Random, days: int) -> date:
    """A first day that leaves *days* before the latest, and at most half a year more."""
    return LATEST - timedelta(days=days + rng.randrange(180))


def yearly_check_ups(chart: Chart, years: int, systolic: int) -> None:
    rng = chart.rng
    for year in range(2027 - years, 2027):
        code = "JPGCHKUP01" if rng.random() < 0.2 else "53576-5"
        hba1c, ldl = (51 + rng.randrange(8)) / 10, 96 + rng.randrange(50)
        chart.check_up(date(year, 5, 6 + rng.randrange(20)), code, hba1c, systolic + rng.randrange(9), ldl)


def metabolic_panel(rng: Random, a1c: int, creatinine: int) -> list[Result]:
    """*a1c* in tenths of a percent, *creatinine* in hundredths of a milligram."""
    return [
        Result(lab.HBA1C, a1c / 10),
        Result(lab.GLUCOSE, 92 + rng.randrange(20)),
        Result(lab.CREATININE, (creatinine + rng.randrange(12)) / 100),
        Result(lab.LDL, 118 + rng.randrange(40)),
        Result(lab.HDL, 48 + rng.randrange(20)),
        Result(lab.TRIGLYCERIDE, 90 + rng.randrange(90)),
    ]


def blood_count(rng: Random, crp: int) -> list[Result]:
    return [
        Result(lab.WHITE_CELLS, 4_200 + 10 * rng.randrange(300) + 20 * crp),
        Result(lab.HAEMOGLOBIN, (112 + rng.randrange(40)) / 10),
        Result(lab.PLATELETS, (178 + rng.randrange(120)) / 10),
        Result(lab.CRP, (crp + rng.randrange(9)) / 100),
    ]


def renal_panel(rng: Random, creatinine: int) -> list[Result]:
    # About what the Japanese equation gives for an elderly man; near enough for a made-up patient.
    rate = 7_400 // creatinine - 4
    return [
        Result(lab.CREATININE, (creatinine + rng.randrange(6)) / 100),
        Result(lab.FILTRATION_RATE, rate + rng.randrange(10) / 10),
        Result(lab.UREA_NITROGEN, (210 + rng.randrange(60)) / 10),
        Result(lab.URIC_ACID, (62 + rng.randrange(14)) / 10),
        Result(lab.POTASSIUM, (43 + rng.randrange(8)) / 10),
        Result(lab.HAEMOGLOBIN, (108 + rng.randrange(16)) / 10),
        Result(lab.URINE_ALBUMIN, (1_800 + rng.randrange(1_400)) / 10),
    ]


def liver_panel(rng: Random) -> list[Result]:
    return [
        Result(lab.AST, 22 + rng.randrange(24)),
        Result(lab.ALT, 24 + rng.randrange(34)),
        Result(lab.GAMMA_GT, 20 + rng.randrange(40)),
        Result(lab.ALBUMIN, (41 + rng.randrange(6)) / 10),
        Result(lab.PLATELETS, (152 + rng.randrange(80)) / 10),
    ]
