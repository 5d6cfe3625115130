"""Numbers that name patients and facilities, brought to one spelling.

Source of the forms: JP-CLINS, "Idsystem" and rules R1010 to R1021.
"""

import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID

INSURED_PERSON_SYSTEM = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
PUBLIC_PAYER_SYSTEM = "http://jpfhir.jp/fhir/clins/Idsystem/JP_PublicPayer_memberID"
FACILITY_SYSTEM = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
LOCAL_SYSTEMS = ("urn:oid:1.2.392.100495.20.3.51.1", "urn:oid:1.2.392.200119.6.102.1")
"""Local patient numbers: each followed by the facility's ten digits, or alone (JP Core, older guides)."""

_FACILITY = re.compile(r"[0-4][0-9]{9}")
_INSURED_PERSON = re.compile(r"[0-9]{8}:[^:\s]*:[^:\s]*:(?:[0-9]{2})?")
_LONGEST = 64  # characters of a patient's number, far more than any has


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

    The branch number (枝番) tells family members apart: a number without it names another key.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> "InsuredPersonNumber":
        """Raises MalformedNumber when it is not of the form; missing parts stay empty, colons stay."""
        spelled = unicodedata.normalize("NFKC", text)
        if len(spelled) > _LONGEST or not spelled.isprintable() or not _INSURED_PERSON.fullmatch(spelled):
            raise MalformedNumber(
                "an insured-person number is 保険者番号8桁:記号:番号:枝番 (branch two digits or empty, no blanks)"
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


PatientKey = UUID | InsuredPersonNumber | LocalNumber | DemographicKey
"""How a caller names a patient: our id, or a number."""
