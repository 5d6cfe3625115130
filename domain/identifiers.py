"""Numbers that name patients and facilities, brought to one spelling.

Source of the forms: JP-CLINS, "Idsystem" and rules R1010 to R1021.
"""

import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID

from tsuzuri.domain.vocabulary import IdentifiedBy

INSURED_PERSON_SYSTEM = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
PUBLIC_PAYER_SYSTEM = "http://jpfhir.jp/fhir/clins/Idsystem/JP_PublicPayer_memberID"
FACILITY_SYSTEM = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
LOCAL_SYSTEMS = ("urn:oid:1.2.392.100495.20.3.51.1", "urn:oid:1.2.392.200119.6.102.1")
"""Local patient numbers: each followed by the facility's ten digits, or alone (JP Core, older guides)."""

_FACILITY = re.compile(r"[0-4][0-9]{9}")
_INSURER = re.compile(r"[0-9]{8}")
_BRANCH = re.compile(r"(?:[0-9]{2})?")
_PUBLIC_ASSISTANCE = re.compile(r"[0-9]{8}::[0-9]{7}:")
_LONGEST = 64  # characters of a patient's number, far more than any has
_BRANCHES = tuple(f"{branch:02}" for branch in range(100))


class MalformedNumber(ValueError):
    """A number that is not of its form. The message never repeats the number."""


def facility_number(text: str) -> str:
    """The ten digits of a facility: prefecture 2, 点数表 1 (1 医科, 3 歯科, 4 調剤), number 7.

    The guide's own pattern allows only 1 to 3 in the third place and so refuses pharmacies; ours does not.

    Raises:
        MalformedNumber: it is not ten such digits.
    """
    if not _FACILITY.fullmatch(text):
        raise MalformedNumber("a facility number has 10 digits: prefecture 2, 点数表 1, number 7")
    return text


@dataclass(frozen=True)
class InsuredPersonNumber:
    """被保険者番号: 保険者番号8桁:記号:番号:枝番, in one spelling (half width, no blanks).

    The branch number (枝番) tells family members apart: a number without it names another key. Full and half width
    are one spelling, since billing systems write either. All else stays as it was issued: small and large kana of
    記号, hyphens and leading zeros of 番号 tell people apart (187 and 0187 may both be given out).
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> "InsuredPersonNumber":
        """Missing parts stay empty, their colons stay.

        Raises:
            MalformedNumber: it is not of the form; says which part is wrong and what to do.
        """
        spelled = unicodedata.normalize("NFKC", text)
        if fault := _insured_person_fault(spelled):
            raise MalformedNumber(f"an insured-person number is 保険者番号8桁:記号:番号:枝番: {fault}")
        return cls(spelled)

    @classmethod
    def asked(cls, text: str) -> "InsuredPersonNumber":
        """As someone types it who looks for a patient: 枝番 may have one digit. Raises as `parse`.

        No more than that is forgiven: without 枝番 the number is another one, and finds whoever has just that.
        """
        head, _, branch = unicodedata.normalize("NFKC", text).rpartition(":")
        return cls.parse(f"{head}:0{branch}" if branch in set("0123456789") else text)

    @property
    def branch(self) -> str:
        """枝番: two digits, or empty."""
        return self.text.rpartition(":")[2]

    @property
    def family(self) -> str:
        """What the members of one family have in common: all but the branch."""
        return self.text.rpartition(":")[0]

    def with_or_without_branch(self) -> "tuple[InsuredPersonNumber, ...]":
        """What a billing system that loses branch numbers would make of it; of one without, all it may have been."""
        branches = ("",) if self.branch else _BRANCHES
        return tuple(InsuredPersonNumber(f"{self.family}:{branch}") for branch in branches)


@dataclass(frozen=True)
class PublicAssistanceNumber:
    """公費負担者番号8::受給者番号7:, the number of a person on public assistance (生活保護), half width."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "PublicAssistanceNumber":
        """Raises MalformedNumber when it is not of the form."""
        spelled = unicodedata.normalize("NFKC", text)
        if not _PUBLIC_ASSISTANCE.fullmatch(spelled):
            raise MalformedNumber(
                "a public assistance number is 公費負担者番号8桁::受給者番号7桁: with all three colons, without blanks"
            )
        return cls(spelled)


@dataclass(frozen=True)
class LocalNumber:
    """A facility's own patient number; it means nothing without the facility."""

    facility: str
    number: str

    @classmethod
    def parse(cls, facility: str, number: str) -> "LocalNumber":
        spelled = unicodedata.normalize("NFKC", number).strip()
        if not 1 <= len(spelled) <= _LONGEST or not spelled.isprintable():
            raise MalformedNumber(f"a local patient number has 1 to {_LONGEST} readable characters")
        return cls(facility_number(facility), spelled)


@dataclass(frozen=True)
class DemographicKey:
    """A patient without a card, by what she or a companion can say. For emergencies and disasters only."""

    kana: str
    birth_date: str
    sex: str
    insurer_number: str | None = None
    postal_code: str | None = None


NationalNumber = InsuredPersonNumber | PublicAssistanceNumber
"""A number that means the same person at every facility."""

PatientNumber = NationalNumber | LocalNumber

PatientKey = UUID | PatientNumber | DemographicKey
"""How a caller names a patient: our id, or a number."""


def identifier(number: PatientNumber) -> tuple[str, str]:
    """The system and value under which a number is claimed and stored."""
    match number:
        case InsuredPersonNumber(text):
            return INSURED_PERSON_SYSTEM, text
        case PublicAssistanceNumber(text):
            return PUBLIC_PAYER_SYSTEM, text
        case LocalNumber(facility, text):
            return LOCAL_SYSTEMS[0] + facility, text


def identified_by(key: PatientKey) -> IdentifiedBy:
    """By what kind of name, without the name."""
    match key:
        case UUID():
            return IdentifiedBy.ID
        case InsuredPersonNumber():
            return IdentifiedBy.INSURED_PERSON
        case PublicAssistanceNumber():
            return IdentifiedBy.PUBLIC_ASSISTANCE
        case LocalNumber():
            return IdentifiedBy.LOCAL
        case DemographicKey():
            return IdentifiedBy.DEMOGRAPHICS


def _insured_person_fault(spelled: str) -> str | None:
    """Which part is wrong, and what to do; never the part itself."""
    if len(spelled) > _LONGEST or not spelled.isprintable():
        return f"it is longer than {_LONGEST} characters, or has some that nobody sees"
    parts = spelled.split(":")
    if len(parts) != 4:
        return f"it has {len(parts) - 1} colons instead of 3; where a part is missing its colon stays"
    for name, part in zip(("保険者番号", "記号", "番号", "枝番"), parts, strict=True):
        if any(letter.isspace() for letter in part):
            return f"{name} has a blank; take it out"
    if not _INSURER.fullmatch(parts[0]):
        return "保険者番号 has not 8 digits"
    if not _BRANCH.fullmatch(parts[3]):
        return "枝番 is not two digits; write 01 for 1, and nothing where there is none"
    return None
