"""Diseases, allergens and drugs of the sample, with the codes a sender would give them.

Food and environment allergens, ICD-10 and usage codes are the published ones. Of the 病名管理番号, YJ and HOT9 numbers
(and the drug allergens, which are built from YJ) most are made up: right in form, but not to be looked up.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Disease:
    number: str  # 病名管理番号
    name: str
    icd10: str
    icd10_name: str = ""


@dataclass(frozen=True)
class Allergen:
    code: str
    name: str
    category: str  # FHIR: medication, food, environment
    reaction: str


@dataclass(frozen=True)
class Drug:
    name: str
    yj: str
    hot9: str
    unit: str
    usage: str | None  # 厚労省用法コード; None when it cannot be coded (then the guide's dummy)
    usage_text: str
    times: int  # a day
    dose: int


TYPE_2_DIABETES = Disease("20050020", "２型糖尿病", "E119", "2型糖尿病，合併症を伴わないもの")
HYPERTENSION = Disease("20061593", "高血圧症", "I10", "本態性（原発性）高血圧（症）")
DYSLIPIDAEMIA = Disease("20094127", "脂質異常症", "E785", "高脂血症，詳細不明")
RETINOPATHY = Disease("20091836", "糖尿病網膜症", "E113", "2型糖尿病，眼合併症を伴うもの")
PANCREATIC_CYST = Disease(
    "20097415", "膵管内乳頭粘液性腫瘍", "D136", "その他及び部位不明確の消化器系の良性新生物"
)
ASTHMA = Disease("20093308", "気管支喘息", "J459", "喘息，詳細不明")
RHINITIS = Disease("20092254", "アレルギー性鼻炎", "J304", "アレルギー性鼻炎＜鼻アレルギー＞，詳細不明")
COMMON_COLD = Disease("20091177", "急性上気道炎", "J069", "急性上気道感染症，詳細不明")
GASTROENTERITIS = Disease(
    "20091193", "感染性胃腸炎", "A09", "その他の胃腸炎及び大腸炎，感染症及び詳細不明の原因によるもの"
)
HIP_FRACTURE = Disease("20095561", "大腿骨頚部骨折", "S7200", "大腿骨頚部骨折，閉鎖性")
OSTEOPOROSIS = Disease("20093740", "骨粗鬆症", "M8199", "骨粗しょう＜鬆＞症，詳細不明")
KIDNEY_DISEASE = Disease("20096682", "慢性腎臓病", "N189", "慢性腎臓病，詳細不明")
HYPERURICAEMIA = Disease("20092611", "高尿酸血症", "E790", "炎症性関節炎及び痛風結節を伴わない高尿酸血症")
HEPATITIS_B = Disease(
    "20094495", "Ｂ型肝炎ウイルスキャリア", "Z225", "ウイルス性肝炎のキャリア＜病原体保有者＞"
)
DUODENAL_ULCER = Disease("20064049", "十二指腸潰瘍", "K269", "十二指腸潰瘍，急性又は慢性の別不明")
UNTOLD = (
    Disease("20054178", "胃癌", "C169", "胃，部位不明"),
    Disease("20098021", "肺癌", "C349", "気管支又は肺，部位不明"),
    Disease("20098304", "アルツハイマー型認知症", "G309", "アルツハイマー病，詳細不明"),
)
WITHHELD = (
    Disease(
        "20098412", "アルコール依存症", "F102", "アルコール使用＜飲酒＞による精神及び行動の障害，依存症候群"
    ),
    Disease("20098538", "適応障害", "F432", "適応障害"),
)

MACKEREL = Allergen("J9FC11310000", "さば", "food", "摂取後1時間以内にじんま疹")
BUCKWHEAT = Allergen("J9FA19140000", "そば", "food", "少量の摂取で咽頭の違和感と膨疹")
PEANUT = Allergen("J9FA21180000", "落花生", "food", "口唇の腫脹")
CEDAR = Allergen("J9NK13320000", "スギ", "environment", "2月から4月に鼻汁とくしゃみ")
MITE = Allergen("J9NM12120000", "コナヒョウヒダニ", "environment", "掃除の後に咳と喘鳴")
CAT = Allergen("J9NJ12150011", "ネコ上皮", "environment", "同室で流涙と鼻閉")
AMOXICILLIN_ALLERGY = Allergen(
    "YCM6131001M2027",
    "アモキシシリンカプセル２５０ｍｇ（ペニシリン系）",
    "medication",
    "内服2日目に全身の紅斑と呼吸困難",
)
LOXOPROFEN_ALLERGY = Allergen(
    "YCM1149019F1013", "ロキソプロフェンナトリウム錠６０ｍｇ", "medication", "内服30分後に喘鳴"
)

AFTER_BREAKFAST = ("1011000400000000", "１日１回朝食後")
AFTER_BREAKFAST_AND_DINNER = ("1012040400000000", "１日２回朝夕食後")
AFTER_EVERY_MEAL = ("1013044400000000", "１日３回朝昼夕食後")
AFTER_DINNER = ("1011040000000000", "１日１回夕食後")

METFORMIN = Drug(
    "メトホルミン塩酸塩錠２５０ｍｇ", "3962002F2027", "104217301", "錠", *AFTER_BREAKFAST_AND_DINNER, 2, 2
)
SITAGLIPTIN = Drug(
    "シタグリプチンリン酸塩錠５０ｍｇ", "3969010F2030", "119418203", "錠", *AFTER_BREAKFAST, 1, 1
)
AMLODIPINE = Drug("アムロジピンベシル酸塩錠５ｍｇ", "2171022F2290", "103215811", "錠", *AFTER_BREAKFAST, 1, 1)
AZILSARTAN = Drug("アジルサルタン錠２０ｍｇ", "2149048F2022", "121765104", "錠", *AFTER_BREAKFAST, 1, 1)
ROSUVASTATIN = Drug("ロスバスタチン錠２．５ｍｇ", "2189017F1022", "116443205", "錠", *AFTER_DINNER, 1, 1)
FEBUXOSTAT = Drug("フェブキソスタット錠２０ｍｇ", "3949003F2027", "120891307", "錠", *AFTER_BREAKFAST, 1, 1)
ALENDRONATE = Drug("アレンドロン酸錠５ｍｇ", "3999018F1196", "112904509", "錠", *AFTER_BREAKFAST, 1, 1)
ACETAMINOPHEN = Drug(
    "アセトアミノフェン錠３００ｍｇ", "1141007F1063", "110733602", "錠", *AFTER_EVERY_MEAL, 3, 1
)
MONTELUKAST = Drug("モンテルカスト錠１０ｍｇ", "4490026F2022", "121028714", "錠", *AFTER_DINNER, 1, 1)
INHALED_STEROID = Drug(
    "サルメテロール・フルチカゾン吸入用",
    "2290800G2039",
    "117302815",
    "吸入",
    None,
    "１日２回　１回１吸入　吸入後うがい",
    2,
    1,
)
VONOPRAZAN = Drug("ボノプラザン錠２０ｍｇ", "2329030F2025", "123744906", "錠", *AFTER_BREAKFAST, 1, 1)
