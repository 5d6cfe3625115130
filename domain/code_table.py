"""The release that Tsuzuri brings along: the 43 tests and 5 infections of the guide as groups of JLAC10 codes.

Facts read from the published lists, in our own notation. A JLAC10 code has seventeen characters: 測定物 (analyte, 5),
識別 (4), 材料 (specimen, 3), 測定法 (method, 3), 結果識別 (kind of result, 2). Any method is taken. Specimen and kind
of result are told apart: creatinine in urine is not creatinine in blood, and seconds are not an INR.
"""

import re
from collections.abc import Iterator
from functools import cache

from tsuzuri.domain.codes import ANY, GROUPS, CodeEntry, Release
from tsuzuri.domain.rules.systems import CLINS, CORE_LABORATORY, INFECTION_LABORATORY, JLAC10
from tsuzuri.domain.vocabulary import RecordClass

NAME = "tsuzuri-2026.11"
CHECKUP = "urn:oid:1.2.392.200119.6.1005"  # 特定健診項目コード: JLAC10, with readings of its own
_CORE = f"{CLINS}/JLAC10/{CORE_LABORATORY}"
_INFECTION = f"{CLINS}/JLAC10/{INFECTION_LABORATORY}"

_SPECIMENS = {
    "blood": "018 019 020 021 022 023",  # 全血, 全血(添加物入り), 動脈血, 毛細管血, 血漿, 血清
    "urine": "001",
    "urines": "001 004",  # 尿, 蓄尿
}

_TESTS = """
TP               総蛋白(TP)                     3A010/blood/01
ALB              アルブミン                     3A015/blood/01
CK               クレアチンキナーゼ(CK)         3B010/blood/01
AST              AST(GOT)                       3B035/blood/01
ALT              ALT(GPT)                       3B045/blood/01
LD               LD(LDH)                        3B050/blood/01
ALP              アルカリホスファターゼ(ALP)    3B070/blood/01
GGT              γ-GTP(GGT)                     3B090/blood/01
CHE              コリンエステラーゼ(ChE)        3B110/blood/01
AMY              アミラーゼ(AMY)                3B160/blood/01
CRE              クレアチニン(Cre)              3C015/blood/01
CYS_C            シスタチンC                    3C016/blood/01
UA               尿酸(UA)                       3C020/blood/01
BUN              尿素窒素(BUN)                  3C025/blood/01
TG               中性脂肪(TG)                   3F015/blood/01
TG_CASUAL        随時中性脂肪                   3F015-1299/blood/01
TG_FASTING       空腹時中性脂肪                 3F015-1300/blood/01
T_CHO            総コレステロール               3F050/blood/01
HDL_C            HDLコレステロール              3F070/blood/01
LDL_C            LDLコレステロール              3F077/blood/01
NA               ナトリウム(Na)                 3H010/blood/01
K                カリウム(K)                    3H015/blood/01
CL               クロール(Cl)                   3H020/blood/01
CA               カルシウム(Ca)                 3H030/blood/01
T_BIL            総ビリルビン                   3J010/blood/01
D_BIL            直接ビリルビン                 3J015/blood/01
GLUCOSE          グルコース(血糖)               3D010/blood/01
GLUCOSE_CASUAL   随時血糖                       3D010-1299/blood/01
GLUCOSE_FASTING  空腹時血糖                     3D010-1300/blood/01
HBA1C            HbA1c(NGSP)                    3D046/blood/01,02
WBC              白血球数                       2A010/blood/01 2A990/019/52
RBC              赤血球数                       2A020/blood/01 2A990/019/51
HB               ヘモグロビン                   2A030/blood/01 2A990/019/53
PLT              血小板数                       2A050/blood/01 2A990/019/55
APTT             APTT(秒)                       2B020/blood/01,51
PT_SEC           プロトロンビン時間(秒)         2B030/blood/01,51
PT_ACTIVITY      プロトロンビン活性             2B030/blood/53
PT_RATIO         プロトロンビン比               2B030/blood/55
PT_INR           PT-INR                         2B030/blood/57
D_DIMER          Dダイマー                      2B140/blood/01
D_DIMER_QUAL     Dダイマー(定性)                2B140/blood/11
U_PROTEIN        尿蛋白(定性)                   1A990/urine/53 1A010/urine/11
U_PROTEIN_SEMI   尿蛋白(半定量)                 1A990/urine/71
U_PROTEIN_QUANT  尿蛋白(定量)                   1A015/urines/01
U_GLUCOSE        尿糖(定性)                     1A990/urine/54 1A020/urine/11
U_GLUCOSE_SEMI   尿糖(半定量)                   1A990/urine/72
U_BLOOD          尿潜血(定性)                   1A990/urine/59 1A100/urine/11
U_BLOOD_SEMI     尿潜血(半定量)                 1A990/urine/77
U_PC             尿蛋白/クレアチニン比          1A015/urine/28
U_PC_CLASS       尿蛋白/クレアチニン比(区分)    1A990/urine/83
U_AC             尿アルブミン/クレアチニン比    3A015/urines/28,51
U_AC_CLASS       尿アルブミン/クレアチニン比(区分)  1A990/urine/84
BNP              BNP                            4Z271/blood/01
NT_PROBNP        NT-proBNP                      4Z272/blood/01
CRP              C反応性蛋白(CRP)               5C070/blood/01
CRP_CLASS        C反応性蛋白(区分)              5C070/blood/12
ABO              血液型(ABO)                    5H010/blood/11,14
RH               血液型(Rh)                     5H020/blood/14
"""
"""Id, name, and per analyte: the 測定物 with its 識別 (0000 where none is written), specimens, kinds of result."""

_INFECTIONS = """
STS_QUAL         梅毒STS(定性)                  5E074-0000,1351,1352/blood/11
STS_QUANT        梅毒STS(定量)                  5E074-0000,1352/blood/01
STS_TITRE        梅毒STS(希釈倍率)              5E074-0000,1353/blood/05
TP_AB_QUAL       梅毒TP抗体(定性)               5E075-0000,1351,1352/blood/11
TP_AB_QUANT      梅毒TP抗体(定量)               5E075-0000,1352/blood/01
TP_AB_TITRE      梅毒TP抗体(希釈倍率)           5E075-0000,1353/blood/05
HBS_AG_QUAL      HBs抗原(定性)                  5F016-1410/blood/11
HBS_AG_QUANT     HBs抗原(定量)                  5F016-1410/blood/01
HBS_AG_TITRE     HBs抗原(希釈倍率)              5F016-1410/blood/05
HBS_AB_QUAL      HBs抗体(定性)                  5F016-1430/blood/11
HBS_AB_QUANT     HBs抗体(定量)                  5F016-1430/blood/01
HBS_AB_TITRE     HBs抗体(希釈倍率)              5F016-1430/blood/05
HCV_AB_QUAL      HCV抗体(定性)                  5F360-1482,1485,1487,1488,151?,1520,1521/blood/11
HCV_AB_TITRE     HCV抗体(希釈倍率)              5F360-1514/blood/05
HCV_AG_QUAL      HCV抗原(定性)                  5F360-1500/blood/11
HCV_AG_QUANT     HCV抗原(定量)                  5F360-1500/blood/01
HCV_RNA_QUAL     HCV核酸増幅検査(定性)          5F360-1453/blood/11
HCV_RNA_QUANT    HCV核酸増幅検査(定量)          5F360-1453/blood/01
HIV_AGAB_QUAL    HIV-1+2抗体・p24抗原(定性)     5F560-1550/blood/11
HIV_AB_QUAL      HIV-1+2抗体(定性)              5F560-1430/blood/11
HIV_AB_TITRE     HIV-1+2抗体(希釈倍率)          5F560-1430/blood/05
HIV1_AB_QUAL     HIV-1抗体(定性)                5F500-1430/blood/11
HIV1_AB_TITRE    HIV-1抗体(希釈倍率)            5F500-1430/blood/05
HIV2_AB_QUAL     HIV-2抗体(定性)                5F550-1430/blood/11
HIV2_AB_TITRE    HIV-2抗体(希釈倍率)            5F550-1430/blood/05
HIV1_RNA_QUAL    HIV-1 RNA(定性)                5F500-1453/blood/11
HIV1_RNA_QUANT   HIV-1 RNA(定量)                5F500-1453/blood/01
"""
"""Of ratios to a control (COI) none: each reagent has its own. They are known, and belong to no group."""

_CHECKUP_FASTING = {"GLUCOSE": "GLUCOSE_FASTING", "TG": "TG_FASTING"}
"""特定健診: what has no 識別 was taken fasting; only what was not has one (随時)."""
_UNGROUPED_TESTS = ("1A015", "1A990", "2B020", "3A015", "3D010")
_UNGROUPED_INFECTIONS = ("5E071", "5E074", "5E075", "5F016", "5F360", "5F500", "5F550", "5F560")


@cache
def built_in() -> Release:
    """In force until another is taken up. Never changes under its name: a new table has a new one."""
    entries = [
        *_grouped(_TESTS, RecordClass.LAB_RESULT, (_CORE, JLAC10, CHECKUP)),
        *_grouped(_INFECTIONS, RecordClass.INFECTION, (_INFECTION, JLAC10)),
        *_ungrouped(_CORE, _UNGROUPED_TESTS, RecordClass.LAB_RESULT),
        *_ungrouped(_INFECTION, _UNGROUPED_INFECTIONS, RecordClass.INFECTION),
        *_ungrouped(JLAC10, ("",), None),
        *_ungrouped(CHECKUP, ("",), None),
    ]
    return Release(NAME, tuple(entries))


def _grouped(table: str, record_class: RecordClass, systems: tuple[str, ...]) -> Iterator[CodeEntry]:
    for line in table.strip().splitlines():
        group, name, analytes = (cell.strip() for cell in re.split(r"\s{2,}", line))
        yield CodeEntry(system=GROUPS, code=group, display=name, record_class=record_class)
        for system in systems:
            fasting = _CHECKUP_FASTING.get(group, group) if system == CHECKUP else group
            for analyte in analytes.split():
                for code in _codes(analyte):
                    yield CodeEntry(
                        system=system, code=code, display=name, record_class=record_class, group=fasting
                    )


def _codes(analyte: str) -> Iterator[str]:
    """Every form of code that one analyte of the table means: "3F015-1299/blood/01"."""
    measured, specimens, results = analyte.split("/")
    measured, _, marks = measured.partition("-")
    for mark in (marks or "0000").split(","):
        for specimen in _SPECIMENS.get(specimens, specimens).split():
            for result in results.split(","):
                yield f"{measured}{mark}{specimen}{ANY * 3}{result}"


def _ungrouped(
    system: str, analytes: tuple[str, ...], record_class: RecordClass | None
) -> Iterator[CodeEntry]:
    """Codes that are there, and of which no two results are to be compared for their code alone."""
    for analyte in analytes:
        yield CodeEntry(
            system=system, code=analyte.ljust(17, ANY), display="JLAC10", record_class=record_class
        )
