"""患者の特定, without a card: what can be said of a patient, in one spelling, so that it can be hashed and found.

Source: 救急時・災害時医療情報閲覧 look for a patient by kana name, birth date and sex, with insurer or postcode.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from tsuzuri.domain.identifiers import DemographicKey, InsuredPersonNumber, MalformedNumber
from tsuzuri.domain.record import Demographics

_SMALL, _LARGE = "ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ"
_HIRAGANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}
_LARGE_KANA = str.maketrans(_SMALL + "‐-‒–—―−ｰ", _LARGE + "ー" * 8)
_KANA = re.compile(r"[ァ-ヶー]{1,100}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SEXES = frozenset({"male", "female", "other", "unknown"})


def kana_spelled(kana: str) -> str:
    """Katakana in full width and large, without blanks: insurers' cards know no small ones (シヨウコ)."""
    spelled = unicodedata.normalize("NFKC", kana).translate(_HIRAGANA).translate(_LARGE_KANA)
    return "".join(letter for letter in spelled if not letter.isspace() and letter != "・")


def demographic_key(
    kana: str, birth_date: str, sex: str, insurer_number: str | None, postal_code: str | None
) -> DemographicKey:
    """What somebody says of a patient, in one spelling.

    Raises MalformedNumber: a part is not of its form, or neither insurer nor postcode is given.
    """
    spelled = kana_spelled(kana)
    if not _KANA.fullmatch(spelled):
        raise MalformedNumber("kana is the name in kana, family name first")
    if not _DATE.fullmatch(birth_date):
        raise MalformedNumber("birthDate is written YYYY-MM-DD")
    if sex not in _SEXES:
        raise MalformedNumber("sex is male, female, other or unknown")
    insurer, postal = _digits(insurer_number, 8), _digits(postal_code, 7)
    if (insurer_number and not insurer) or (postal_code and not postal):
        raise MalformedNumber("insurerNumber has 8 digits, postalCode 7")
    if not (insurer or postal):
        raise MalformedNumber("give insurerNumber or postalCode: a name and a birth date alone find nobody")
    return DemographicKey(spelled, birth_date, sex, insurer, postal)


def said(key: DemographicKey) -> tuple[str, ...]:
    """What must all be known of one patient."""
    return tuple(_terms(key.kana, key.birth_date, key.sex, [key.insurer_number], key.postal_code))


def known(who: Demographics, insured: InsuredPersonNumber | None) -> tuple[str, ...]:
    """What one Bundle lets its patient be found by; nothing when it leaves a part open."""
    if who.kana is None or who.birth_date is None or who.sex is None or not _DATE.fullmatch(who.birth_date):
        return ()
    kana = kana_spelled(who.kana)
    insurers = [] if insured is None else [insured.text.partition(":")[0]]
    return tuple(_terms(kana, who.birth_date, who.sex, insurers, _digits(who.postal_code, 7)))


def _terms(
    kana: str, birth_date: str, sex: str, insurers: Iterable[str | None], postal_code: str | None
) -> Iterator[str]:
    who = f"{kana}/{birth_date}/{sex}"
    yield from (f"{who}/insurer/{number}" for number in insurers if number)
    if postal_code:
        yield f"{who}/postcode/{postal_code}"


def _digits(text: str | None, number: int) -> str | None:
    digits = unicodedata.normalize("NFKC", text or "").replace("-", "")
    digits = "".join(letter for letter in digits if not letter.isspace() and letter not in "‐‒–—―−ー")
    return digits if len(digits) == number and digits.isascii() and digits.isdigit() else None
