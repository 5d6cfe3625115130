"""The fictitious facilities that send the sample, and the doctors who sign for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tsuzuri.domain.facilities import Facility
from tsuzuri.domain.vocabulary import FacilityKind


@dataclass(frozen=True)
class Doctor:
    number: str  # local to the facility
    family: str
    given: str
    family_kana: str
    given_kana: str
    department: str

    @property
    def name(self) -> str:
        return f"{self.family} {self.given}"


@dataclass(frozen=True)
class Place:
    """A facility with what only its own Bundles show."""

    facility: Facility
    index: int  # its place in PLACES
    postal_code: str
    address: str
    phone: str
    doctors: tuple[Doctor, ...]
    full_width: bool = False  # its billing system writes 記号 and 番号 in full width, as many do
    profile_version: str = ""  # its EMR appends the guide's version to every profile; both forms are in use

    @property
    def number(self) -> str:
        return self.facility.number

    @property
    def name(self) -> str:
        return self.facility.name

    def doctor(self, department: str) -> Doctor:
        return next(doctor for doctor in self.doctors if doctor.department == department)


# HL7 table 0069, as SS-MIX2 prints it. A department without a code of its own takes the code of its parent.
DEPARTMENT_CODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "内科": ("01", "内科"),
        "糖尿病内科": ("01", "内科"),
        "腎臓内科": ("01", "内科"),
        "総合診療科": ("01", "内科"),
        "健診科": ("01", "内科"),
        "呼吸器科": ("05", "呼吸器科"),
        "消化器科": ("06", "消化器科"),
        "循環器科": ("08", "循環器科"),
        "アレルギー科": ("09", "アレルギー科"),
        "整形外科": ("13", "整形外科"),
    }
)

# 郡市区番号 99 is not given to real facilities, municipality numbers from 990 up neither.
_HOSPITAL_AOBADAI = Place(
    Facility(
        "1419901014",
        "青葉台総合病院",
        FacilityKind.HOSPITAL,
        "14991",
        "青葉台市",
        ("糖尿病内科", "腎臓内科", "消化器科", "循環器科", "整形外科"),
        True,
    ),
    0,
    "229-9901",
    "神奈川県青葉台市若草町1-20",
    "042-999-0101",
    (
        Doctor("H0117", "榊原", "理沙", "サカキバラ", "リサ", "糖尿病内科"),
        Doctor("H0142", "沼田", "修吾", "ヌマタ", "シュウゴ", "腎臓内科"),
        Doctor("H0168", "東海林", "毅", "ショウジ", "ツヨシ", "消化器科"),
        Doctor("H0173", "柏木", "ひなの", "カシワギ", "ヒナノ", "循環器科"),
        Doctor("H0190", "郡司", "大輔", "グンジ", "ダイスケ", "整形外科"),
    ),
)
_HOSPITAL_SHIOMI = Place(
    Facility(
        "1419902028",
        "潮見浜記念病院",
        FacilityKind.HOSPITAL,
        "14992",
        "潮見浜市",
        ("整形外科", "消化器科", "呼吸器科", "腎臓内科"),
        True,
    ),
    1,
    "238-9902",
    "神奈川県潮見浜市汐入町5-3",
    "046-999-0202",
    (
        Doctor("2031", "乾", "慎一郎", "イヌイ", "シンイチロウ", "整形外科"),
        Doctor("2044", "能見", "佳代", "ノウミ", "カヨ", "消化器科"),
        Doctor("2052", "宇佐美", "透", "ウサミ", "トオル", "呼吸器科"),
        Doctor("2067", "仁科", "百合子", "ニシナ", "ユリコ", "腎臓内科"),
    ),
    full_width=True,
    profile_version="|1.10.0",
)
_CLINIC_MATSUKAZE = Place(
    Facility(
        "1419911037",
        "まつかぜ内科クリニック",
        FacilityKind.CLINIC,
        "14991",
        "青葉台市",
        ("内科", "循環器科"),
        False,
    ),
    2,
    "229-9903",
    "神奈川県青葉台市松風4-8-1",
    "042-999-1103",
    (
        Doctor("D01", "間宮", "聡", "マミヤ", "サトシ", "内科"),
        Doctor("D02", "間宮", "紀子", "マミヤ", "ノリコ", "循環器科"),
    ),
)
_CLINIC_KOMOREBI = Place(
    Facility(
        "1419911045", "こもれび整形外科", FacilityKind.CLINIC, "14991", "青葉台市", ("整形外科",), False
    ),
    3,
    "229-9904",
    "神奈川県青葉台市欅坂2-11",
    "042-999-1104",
    (Doctor("D01", "鳥居", "健", "トリイ", "ケン", "整形外科"),),
)
_CLINIC_HIBARINO = Place(
    Facility(
        "1419912053",
        "ひばり野呼吸器クリニック",
        FacilityKind.CLINIC,
        "14992",
        "潮見浜市",
        ("呼吸器科", "アレルギー科"),
        False,
    ),
    4,
    "238-9905",
    "神奈川県潮見浜市ひばり野3-6-2",
    "046-999-1205",
    (
        Doctor("A1", "一ノ瀬", "瞳", "イチノセ", "ヒトミ", "呼吸器科"),
        Doctor("A2", "樋口", "航平", "ヒグチ", "コウヘイ", "アレルギー科"),
    ),
    full_width=True,
)
_CLINIC_SAKANOUE = Place(
    Facility(
        "1319913061",
        "坂の上ファミリー診療所",
        FacilityKind.CLINIC,
        "13991",
        "みどり野市",
        ("内科", "総合診療科"),
        False,
    ),
    5,
    "199-9906",
    "東京都みどり野市坂の上1-5-9",
    "042-999-1306",
    (
        Doctor("K-3", "綾部", "正人", "アヤベ", "マサト", "内科"),
        Doctor("K-4", "久遠", "美和", "クドウ", "ミワ", "総合診療科"),
    ),
)
_PHARMACY = Place(
    Facility("1449911079", "月見坂薬局", FacilityKind.PHARMACY, "14991", "青葉台市", (), False),
    6,
    "229-9907",
    "神奈川県青葉台市松風4-8-3",
    "042-999-1407",
    (),
)
_CHECKUP_CENTRE = Place(
    Facility(
        "1419913085", "若草健診プラザ", FacilityKind.CHECKUP_CENTRE, "14991", "青葉台市", ("健診科",), False
    ),
    7,
    "229-9908",
    "神奈川県青葉台市若草町2-2",
    "042-999-1508",
    (Doctor("P7", "三枝", "晴美", "サエグサ", "ハルミ", "健診科"),),
)

PLACES = (
    _HOSPITAL_AOBADAI,
    _HOSPITAL_SHIOMI,
    _CLINIC_MATSUKAZE,
    _CLINIC_KOMOREBI,
    _CLINIC_HIBARINO,
    _CLINIC_SAKANOUE,
    _PHARMACY,
    _CHECKUP_CENTRE,
)
AOBADAI, SHIOMI, MATSUKAZE, KOMOREBI, HIBARINO, SAKANOUE, _, CHECKUP_CENTRE = PLACES
