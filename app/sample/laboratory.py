"""The analytes of the sample, with the codes a laboratory would give them (JLAC10, as published)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Analyte:
    local: str  # the tail of every facility's local code
    names: tuple[str, str]  # two laboratories, two spellings
    jlac10: tuple[str, str]  # two laboratories, two methods; the same code twice where they agree
    display: str  # FHIR識別名
    unit: str = ""
    ucum: str = ""
    specimen: tuple[str, str] = ("023", "血清")
    low: float | None = None
    high: float | None = None
    decimals: int = 0
    infection: bool = False
    general: bool = False  # outside the 43 items of the guide: coded by the general JLAC10 table only


WHOLE_BLOOD = ("019", "全血(添加物入り)")
PLASMA = ("022", "血漿")
URINE = ("001", "尿(含むその他)")

HBA1C = Analyte(
    "0411",
    ("HbA1c(NGSP)", "ヘモグロビンA1c(NGSP)"),
    ("3D046000001906202", "3D046000001920402"),
    "HbA1c-NGSP",
    "%",
    "%",
    WHOLE_BLOOD,
    4.9,
    6.0,
    1,
)
GLUCOSE = Analyte(
    "0402",
    ("血糖", "グルコース"),
    ("3D010000002227101", "3D010000002227201"),
    "BG",
    "mg/dL",
    "mg/dL",
    PLASMA,
    73,
    109,
)
CREATININE = Analyte(
    "0317",
    ("クレアチニン", "CRE"),
    ("3C015000002327101",) * 2,
    "Cre",
    "mg/dL",
    "mg/dL",
    low=0.46,
    high=1.07,
    decimals=2,
)
UREA_NITROGEN = Analyte(
    "0316", ("尿素窒素", "UN"), ("3C025000002327201",) * 2, "UN", "mg/dL", "mg/dL", low=8, high=20, decimals=1
)
URIC_ACID = Analyte(
    "0315", ("尿酸", "UA"), ("3C020000002327101",) * 2, "UA", "mg/dL", "mg/dL", low=2.6, high=7.0, decimals=1
)
LDL = Analyte(
    "0343",
    ("LDLコレステロール", "LDL-C"),
    ("3F077000002327101",) * 2,
    "LDL-C",
    "mg/dL",
    "mg/dL",
    low=65,
    high=139,
)
HDL = Analyte(
    "0342",
    ("HDLコレステロール", "HDL-C"),
    ("3F070000002327101",) * 2,
    "HDL-C",
    "mg/dL",
    "mg/dL",
    low=40,
    high=103,
)
TRIGLYCERIDE = Analyte(
    "0341", ("中性脂肪", "TG"), ("3F015000002327101",) * 2, "TG", "mg/dL", "mg/dL", low=30, high=149
)
AST = Analyte("0321", ("AST(GOT)", "AST"), ("3B035000002327201",) * 2, "AST", "U/L", "U/L", low=13, high=30)
ALT = Analyte("0322", ("ALT(GPT)", "ALT"), ("3B045000002327201",) * 2, "ALT", "U/L", "U/L", low=7, high=42)
GAMMA_GT = Analyte("0325", ("γ-GTP", "γ-GT"), ("3B090000002327101",) * 2, "GGT", "U/L", "U/L", low=9, high=64)
ALBUMIN = Analyte(
    "0312",
    ("アルブミン", "ALB"),
    ("3A015000002327101",) * 2,
    "ALB",
    "g/dL",
    "g/dL",
    low=4.1,
    high=5.1,
    decimals=1,
)
SODIUM = Analyte(
    "0351", ("ナトリウム", "Na"), ("3H010000002326101",) * 2, "Na", "mEq/L", "meq/L", low=138, high=145
)
POTASSIUM = Analyte(
    "0352",
    ("カリウム", "K"),
    ("3H015000002326101",) * 2,
    "K",
    "mEq/L",
    "meq/L",
    low=3.6,
    high=4.8,
    decimals=1,
)
CRP = Analyte(
    "0511", ("CRP", "C反応性蛋白"), ("5C070000002306201",) * 2, "CRP", "mg/dL", "mg/dL", high=0.14, decimals=2
)
WHITE_CELLS = Analyte(
    "0201",
    ("白血球数", "WBC"),
    ("2A010000001930101",) * 2,
    "WBC",
    "/mm3",
    "/mm3",
    WHOLE_BLOOD,
    3300,
    8600,
)
HAEMOGLOBIN = Analyte(
    "0203",
    ("ヘモグロビン", "Hb"),
    ("2A030000001930101",) * 2,
    "Hb",
    "g/dL",
    "g/dL",
    WHOLE_BLOOD,
    11.6,
    16.8,
    1,
)
PLATELETS = Analyte(
    "0208",
    ("血小板数", "PLT"),
    ("2A050000001930101",) * 2,
    "PLT",
    "10000/mm3",
    "10*4/mm3",
    WHOLE_BLOOD,
    15.8,
    34.8,
    1,
)
URINE_ALBUMIN = Analyte(
    "0108",
    ("尿アルブミン/クレアチニン比", "U-ALB/CRE"),
    ("3A015000000106128",) * 2,
    "U-A/C",
    "mg/gCr",
    "mg/g{creat}",
    URINE,
    high=29.9,
    decimals=1,
)
FILTRATION_RATE = Analyte(
    "0318",
    ("eGFR", "推算GFR"),
    ("8A065000002391901",) * 2,
    "eGFR",
    "mL/min/1.73m2",
    "mL/min/{1.73_m2}",
    low=60,
    decimals=1,
    general=True,
)
HBS_ANTIGEN = Analyte(
    "0601",
    ("HBs抗原", "HBs抗原(定性)"),
    ("5F016141002305111", "5F016141002305211"),
    "HBs抗原(定性)",
    infection=True,
)
HCV_ANTIBODY = Analyte(
    "0602",
    ("HCV抗体", "HCV抗体(定性)"),
    ("5F360151502399811", "5F360148702399811"),
    "HCV抗体(定性)",
    infection=True,
)
SYPHILIS_STS = Analyte(
    "0603",
    ("梅毒定性(RPR)", "梅毒STS(定性)"),
    ("5E074000002306211", "5E074000002306311"),
    "梅毒STS(定性)",
    infection=True,
)
SYPHILIS_TP = Analyte(
    "0604",
    ("梅毒TP抗体", "梅毒TP抗体(定性)"),
    ("5E075000002306211",) * 2,
    "梅毒TP抗体(定性)",
    infection=True,
)
