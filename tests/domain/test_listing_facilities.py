"""What an entry of the list of facilities may say, and the files it is loaded from."""

import pytest

from tsuzuri.domain.facilities import Facility, FacilityMalformed, checked, municipality_code
from tsuzuri.domain.facility_files import read_facilities
from tsuzuri.domain.vocabulary import FacilityKind

HOSPITAL = Facility("1310000001", "試験病院", FacilityKind.HOSPITAL, "13101", "千代田区")

# --- one entry


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("1310000001", FacilityKind.HOSPITAL),
        ("1310000001", FacilityKind.CLINIC),
        ("1330000001", FacilityKind.DENTAL),
        ("1340000001", FacilityKind.PHARMACY),
        ("1310000001", FacilityKind.CHECKUP_CENTRE),
        ("1320000001", FacilityKind.CHECKUP_CENTRE),  # of another list: only its ten digits are asked
    ],
)
def test_the_third_digit_of_a_number_fits_its_kind(number: str, kind: FacilityKind) -> None:
    assert checked(Facility(number, "試験施設", kind)).number == number


WRONG = {
    "a pharmacy with a hospital's number": (Facility("1310000001", "薬局", FacilityKind.PHARMACY), "点数表"),
    "a hospital with a pharmacy's number": (Facility("1340000001", "病院", FacilityKind.HOSPITAL), "点数表"),
    "a dentist with a clinic's number": (Facility("1310000001", "歯科", FacilityKind.DENTAL), "点数表"),
    "eleven digits": (Facility("13100000011", "病院", FacilityKind.HOSPITAL), "10 digits"),
    "no name": (Facility("1310000001", "", FacilityKind.HOSPITAL), "name"),
    "a blank behind the name": (Facility("1310000001", "病院 ", FacilityKind.HOSPITAL), "name"),
    "a clinic with the emergency right": (
        Facility("1310000001", "診療所", FacilityKind.CLINIC, emergency=True),
        "emergency",
    ),
    "a municipality without a name": (
        Facility("1310000001", "病院", FacilityKind.HOSPITAL, "13101"),
        "together",
    ),
    "a municipality that is none": (
        Facility("1310000001", "病院", FacilityKind.HOSPITAL, "99101", "どこか"),
        "municipality",
    ),
    "a department twice": (
        Facility("1310000001", "病院", FacilityKind.HOSPITAL, departments=("内科", "内科")),
        "departments",
    ),
    "a code too few": (
        Facility(
            "1310000001",
            "病院",
            FacilityKind.HOSPITAL,
            departments=("内科", "外科"),
            department_codes=("01",),
        ),
        "department_codes",
    ),
}


@pytest.mark.parametrize(("facility", "told"), WRONG.values(), ids=WRONG)
def test_an_entry_that_cannot_be_is_refused_with_the_reason(facility: Facility, told: str) -> None:
    with pytest.raises(FacilityMalformed, match=told):
        checked(facility)


def test_all_that_is_wrong_with_an_entry_is_told_at_once() -> None:
    wrong = Facility("1310000001", "", FacilityKind.PHARMACY, emergency=True)

    with pytest.raises(FacilityMalformed) as refused:
        checked(wrong)

    assert str(refused.value).count(";") == 2


def test_a_municipality_has_five_digits_whether_its_check_digit_is_sent_or_not() -> None:
    assert municipality_code("131016") == municipality_code("13101") == "13101"  # 千代田区
    assert municipality_code("011002") == "01100"  # 札幌市
    assert checked(HOSPITAL).municipality == "13101"
    with pytest.raises(FacilityMalformed, match="sixth digit"):
        municipality_code("131017")


# --- a file of them

HEADER = "number,name,kind,municipality,municipality_name,departments,department_codes,emergency"
CSV = f"""{HEADER}
1310000001,試験病院,HOSPITAL,131016,千代田区,内科;外科,01;,true
1340000002,試験薬局,PHARMACY,,,,,
"""
JSON = """[
  {"number": "1310000001", "name": "試験病院", "kind": "HOSPITAL", "municipality": "13101",
   "municipality_name": "千代田区", "departments": ["内科", "外科"], "department_codes": ["01", ""],
   "emergency": true},
  {"number": "1340000002", "name": "試験薬局", "kind": "PHARMACY"}
]"""
BOTH = [
    Facility(
        "1310000001",
        "試験病院",
        FacilityKind.HOSPITAL,
        "13101",
        "千代田区",
        ("内科", "外科"),
        emergency=True,
        department_codes=("01", ""),
    ),
    Facility("1340000002", "試験薬局", FacilityKind.PHARMACY),
]


@pytest.mark.parametrize(
    "text", [CSV, "\ufeff" + CSV.replace("\n", "\r\n"), JSON], ids=["csv", "excel", "json"]
)
def test_csv_and_json_say_the_same(text: str) -> None:
    assert read_facilities(text.encode()) == BOTH


def test_columns_may_come_in_any_order_and_some_may_be_missing() -> None:
    assert read_facilities("kind,number,name\nPHARMACY,1340000002,試験薬局\n".encode()) == BOTH[1:]


FAULTS = {
    "every fault of a CSV, by its line": (
        f"""{HEADER}
1310000001,試験病院,PHARMACY,,,,,
1310000001,"試験
病院",HOSPITAL,,,,,yes
1310000001,試験病院,HOSPITAL,,,,,
1310000003,試験病院,KLINIK,,,,,
1310000004,too few
1310000001,試験病院,HOSPITAL,,,,,
""",
        [
            "line 2: the third digit",
            "line 3: emergency",
            "line 6: kind",
            "line 7: 2 values",
            "line 8: the same",
        ],
    ),
    "every fault of a JSON, by the line it begins in": (
        """[{"number": "1310000001", "name": "試験病院", "kind": "HOSPITAL"},
{"number": "1310000001", "name": "試験病院", "kind": "HOSPITAL"},
{"number": 5, "name": "試験病院", "kind": "HOSPITAL"},

{"number": "1310000003", "name": "試験病院", "kind": "HOSPITAL", "beds": 5}]""",
        ["line 2: the same number as line 1", "line 3: Expected `str`", "line 5: Object contains unknown"],
    ),
    "another header": ("number,name\n1310000001,x\n", ["line 1: the header"]),
    "a column twice": ("number,name,kind,name\n", ["line 1: the header"]),
    "a quote that never ends": (f'{HEADER}\n1310000001,"x', ["line 2: "]),
    "no JSON": ("[{]", ["not a JSON array"]),
    "nothing": (f"{HEADER}\n", ["no facility"]),
    "an empty array": ("[]", ["no facility"]),
}


@pytest.mark.parametrize(("text", "told"), FAULTS.values(), ids=FAULTS)
def test_a_file_with_a_fault_is_refused_whole_and_every_fault_told(text: str, told: list[str]) -> None:
    with pytest.raises(FacilityMalformed) as refused:
        read_facilities(text.encode())

    lines = str(refused.value).splitlines()
    assert len(lines) == len(told)
    assert all(begin in line for begin, line in zip(told, lines, strict=True)), lines


def test_a_file_that_is_not_utf_8_is_refused_with_the_line() -> None:
    with pytest.raises(FacilityMalformed, match="line 3: not UTF-8"):
        read_facilities(CSV.encode("utf-8")[:-20] + "薬局".encode("cp932"))
