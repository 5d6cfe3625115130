"""The fictitious patients: names, birth dates, addresses and every number they are known by."""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tsuzuri.app.sample.places import Place

TODAY = date(2026, 11, 1)  # in Japan; the sample knows no other clock

_FAMILY_NAMES = (
    "青柳アオヤギ 秋庭アキバ 朝倉アサクラ 芦田アシダ 天野アマノ 有賀アリガ 飯島イイジマ 池上イケガミ "
    "石黒イシグロ 磯部イソベ 市川イチカワ 稲垣イナガキ 岩井イワイ 上原ウエハラ 梅沢ウメザワ 江口エグチ "
    "遠山トオヤマ 大槻オオツキ 岡崎オカザキ 小川オガワ 奥山オクヤマ 尾崎オザキ 貝塚カイヅカ 風間カザマ "
    "片桐カタギリ 金子カネコ 川端カワバタ 神崎カンザキ 岸本キシモト 北村キタムラ 桐山キリヤマ 日下クサカ "
    "熊谷クマガイ 倉橋クラハシ 黒木クロキ 小松コマツ 近藤コンドウ 斉木サイキ 坂口サカグチ 笹川ササガワ "
    "椎名シイナ 白石シライシ 杉本スギモト 須藤スドウ 瀬川セガワ 高梨タカナシ 滝沢タキザワ 竹内タケウチ "
    "千葉チバ 土屋ツチヤ 戸田トダ 内藤ナイトウ 中尾ナカオ 永井ナガイ 野上ノガミ 長谷ハセ "
    "平野ヒラノ 福原フクハラ 堀口ホリグチ 水谷ミズタニ 村瀬ムラセ 望月モチヅキ 山岸ヤマギシ 吉岡ヨシオカ"
)
_FEMALE_NAMES = (
    "葵アオイ 明美アケミ 彩乃アヤノ 和泉イズミ 恵理エリ 薫カオル 佳奈カナ 絹代キヌヨ 久美子クミコ 早苗サナエ "
    "静江シズエ 千尋チヒロ 照子テルコ 奈緒ナオ 春香ハルカ 久子ヒサコ 房江フサエ 真琴マコト 美咲ミサキ 睦美ムツミ "
    "八重ヤエ 優花ユウカ 洋子ヨウコ 莉子リコ 瑠美ルミ 若菜ワカナ 志保シホ 智子トモコ 文乃フミノ 沙織サオリ"
)
_MALE_NAMES = (
    "暁アキラ 篤アツシ 一平イッペイ 英二エイジ 修オサム 和也カズヤ 清キヨシ 研吾ケンゴ 浩一コウイチ 悟サトル "
    "茂シゲル 翔太ショウタ 進ススム 誠司セイジ 隆タカシ 拓海タクミ 武タケシ 保タモツ 哲郎テツロウ 俊夫トシオ "
    "直樹ナオキ 信之ノブユキ 博ヒロシ 文雄フミオ 雅人マサト 稔ミノル 康平コウヘイ 義雄ヨシオ 良介リョウスケ 渉ワタル"
)
_TOWNS = (
    ("神奈川県", "青葉台市", "229-99", ("若草町", "松風", "欅坂", "月見坂", "東青葉台")),
    ("神奈川県", "潮見浜市", "238-99", ("汐入町", "ひばり野", "浜通り", "灯台前")),
    ("東京都", "みどり野市", "199-99", ("坂の上", "泉ヶ丘", "緑陰町")),
)
# 法別番号 2, prefecture 2, insurer 4: prefecture 99 does not exist.
_INSURERS = ("01990018", "06990114", "06990221", "00990335", "31990447", "67990559")
_INSURER_OF_THE_OLD = "39990661"  # 後期高齢者医療, from 75 on: no 記号, no 枝番
_SYMBOLS = ("あさひ", "わかば", "1204", "3317", "55", "7128", "みなと", "90")


def _split(names: str) -> tuple[tuple[str, str], ...]:
    """Kanji and kana of each name; the kana begin at the first katakana letter."""
    pairs = []
    for name in names.split():
        start = next(i for i, letter in enumerate(name) if "ァ" <= letter <= "ヶ")
        pairs.append((name[:start], name[start:]))
    return tuple(pairs)


_FAMILIES = _split(_FAMILY_NAMES)
_GIVEN = {"female": _split(_FEMALE_NAMES), "male": _split(_MALE_NAMES)}


@dataclass(frozen=True)
class SamplePatient:
    """One patient as a caller needs to know her."""

    number: int
    insured_person: str  # in the one spelling of tsuzuri.domain.identifiers; a Bundle may write it wider
    name: str
    kana: str
    birth_date: str
    sex: str  # FHIR administrative-gender code


@dataclass(frozen=True)
class Person:
    number: int
    seed: int
    family: str
    given: str
    family_kana: str
    given_kana: str
    birth: date
    sex: str
    insurer: str
    symbol: str
    member: str  # 番号
    branch: str  # 枝番
    prefecture: str
    city: str
    street: str
    postal_code: str
    phone: str

    @property
    def name(self) -> str:
        return f"{self.family} {self.given}"

    @property
    def kana(self) -> str:
        return f"{self.family_kana} {self.given_kana}"

    @property
    def insured_person(self) -> str:
        return f"{self.insurer}:{self.symbol}:{self.member}:{self.branch}"

    def insured_person_at(self, place: Place) -> str:
        """As the place writes it. 保険者番号 and 枝番 are half width everywhere."""
        if not place.full_width:
            return self.insured_person
        return f"{self.insurer}:{_wide(self.symbol)}:{_wide(self.member)}:{self.branch}"

    def local_number(self, place: Place) -> str:
        # One-to-one in the patient (the factor shares none with 10**8), so no two ever share a local number.
        return f"{(self.number * 48_271 + place.index * 1_299_709 + self.seed * 15_485_863) % 10**8:08d}"

    def listed(self) -> SamplePatient:
        return SamplePatient(
            self.number,
            unicodedata.normalize("NFKC", self.insured_person),
            self.name,
            self.kana,
            self.birth.isoformat(),
            self.sex,
        )


def household_of(number: int) -> int:
    """The patient whose insurance covers this one: of five in a row, the fourth is of the third's family."""
    return number - 1 if number % 5 == 3 else number


def person(number: int, seed: int, rng: Random, youngest: int, oldest: int) -> Person:
    """Draw one patient. *rng* is hers alone; what a family shares comes from the seed and its first member."""
    head = household_of(number)
    shared = Random(f"{seed}/household/{head}")
    family, family_kana = shared.choice(_FAMILIES)
    prefecture, city, postal, streets = shared.choice(_TOWNS)
    street = f"{shared.choice(streets)}{1 + shared.randrange(6)}-{1 + shared.randrange(20)}-{1 + shared.randrange(15)}"
    insurer, symbol = shared.choice(_INSURERS), shared.choice(_SYMBOLS)
    sex_of_head = shared.choice(("female", "male"))

    sex = sex_of_head if head == number else "male" if sex_of_head == "female" else "female"
    given, given_kana = rng.choice(_GIVEN[sex])
    days = (oldest - youngest) * 365
    birth = TODAY.replace(year=TODAY.year - oldest) + timedelta(days=rng.randrange(days))
    branch = "01" if head == number else "02"
    member = f"{(head * 48_271 + seed * 104_729) % 10**7:07d}"
    if birth <= TODAY.replace(year=TODAY.year - 75):
        insurer, symbol, branch = _INSURER_OF_THE_OLD, "", ""
        member = f"{(number * 48_271 + seed * 104_729) % 10**8:08d}"
    return Person(
        number,
        seed,
        family,
        given,
        family_kana,
        given_kana,
        birth,
        sex,
        insurer,
        symbol,
        member,
        branch,
        prefecture,
        city,
        street,
        f"{postal}{10 + shared.randrange(90)}",
        f"046-999-{shared.randrange(10_000):04d}",
    )


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)
