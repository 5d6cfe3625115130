"""The code registry: which results are one trend, which codes are known, and until when."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from code_examples import (
    BUILT_IN,
    CHECKUP,
    CORE,
    FILTRATION_RATE,
    HBA1C_HPLC,
    HBA1C_LATEX,
    INFECTION,
    JLAC10_OID,
    LOCAL,
    ODD,
    POTASSIUM,
    a_release,
    coding,
)
from tsuzuri.app.sample import laboratory
from tsuzuri.domain.analytes import NAMED, analyte
from tsuzuri.domain.code_files import GROUP_ID, release_sha256
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.record import Coding, Entry
from tsuzuri.domain.rules.systems import JLAC10
from tsuzuri.domain.vocabulary import RecordClass

TODAY = date(2026, 11, 22)
ITEMS = {
    "生化学": "TP ALB CK AST ALT LD ALP GGT CHE AMY CRE CYS_C UA BUN TG T_CHO HDL_C LDL_C NA K CL CA T_BIL D_BIL",
    "血糖": "GLUCOSE HBA1C",
    "血液": "WBC RBC HB PLT APTT PT_SEC D_DIMER",
    "尿": "U_PROTEIN U_GLUCOSE U_BLOOD U_PC U_AC",
    "内分泌/免疫": "BNP NT_PROBNP CRP ABO RH",
}
"""The 43 tests of the guide, one group of each."""
INFECTIONS = ("STS_QUAL", "TP_AB_QUAL", "HBS_AG_QUAL", "HCV_AB_QUAL", "HIV_AGAB_QUAL")


def a_result(*codings: Coding, **changes: object) -> Entry:
    usual = {
        "key": "1",
        "record_class": RecordClass.LAB_RESULT,
        "resource_type": "Observation",
        "resource_place": 1,
        "name": "ヘモグロビンA1c",
        "codings": codings,
        "facility": "1311234567",
    }
    return Entry(**usual | changes)  # type: ignore[arg-type]  # a test states what it changes


# --- the built-in release


def test_each_of_the_43_tests_and_5_infections_has_a_group() -> None:
    listed = [group for some in ITEMS.values() for group in some.split()]

    assert len(listed) == 43
    assert BUILT_IN.groups.keys() >= {*listed, *INFECTIONS}
    assert BUILT_IN.groups.keys() == {entry.group for entry in built_in().entries if entry.group is not None}


def test_the_built_in_release_stays_as_it_is_under_its_name() -> None:
    """When this fails: what generations are filled under has changed. Give the table another name."""
    assert (built_in().name, release_sha256(built_in())) == (
        "tsuzuri-2026.11",
        "f4c537372cb88d6862e5ac66b52700c14c9a090eaa24a52b4c97975d7cf26aae",
    )


@pytest.mark.parametrize(
    "sampled", [one for one in vars(laboratory).values() if isinstance(one, laboratory.Analyte)], ids=str
)
def test_two_laboratories_of_the_sample_agree_on_the_group(sampled: laboratory.Analyte) -> None:
    system = JLAC10 if sampled.general else INFECTION if sampled.infection else CORE
    groups = {BUILT_IN.group_of([coding(code, system)]) for code in sampled.jlac10}

    assert len(groups) == 1
    assert (groups == {None}) == sampled.general
    assert all(BUILT_IN.known(system, code, TODAY) for code in sampled.jlac10)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3C015000002327101", "3C015000000127101"),  # creatinine in serum and in urine
        ("3A015000002327101", "3A015000000106128"),  # albumin in serum, albumin by creatinine in urine
        ("2B030000002231151", "2B030000002231157"),  # prothrombin time in seconds, and the INR
        ("2B020000002231151", "2B020000002231155"),  # APTT in seconds and in per cent
        ("3D010129902327101", "3D010130002327101"),  # glucose at any time, and fasting
        ("3F015000002327101", "3F015129902327101"),  # triglyceride
        ("1A990000000191153", "1A990000000191171"),  # protein in urine, qualitative and semi-quantitative
        ("5C070000002306201", "5C070000001819012"),  # CRP as a number and as a class
        ("3D046000001906202", "3D045000001906202"),  # HbA1c after NGSP, and before
    ],
)
def test_results_that_must_not_be_compared_are_of_two_groups(one: str, other: str) -> None:
    assert BUILT_IN.group_of([coding(one)]) != BUILT_IN.group_of([coding(other)])


def test_a_check_up_reads_glucose_and_triglyceride_without_a_mark_as_fasting() -> None:
    codes = ("3D010000002227101", "3F015000002327101")

    assert [BUILT_IN.group_of([coding(code, CHECKUP)]) for code in codes] == ["GLUCOSE_FASTING", "TG_FASTING"]
    assert [BUILT_IN.group_of([coding(code)]) for code in codes] == ["GLUCOSE", "TG"]


# --- which group


def test_codes_of_two_methods_are_one_trend_in_either_spelling_of_their_system() -> None:
    spellings = [JLAC10, JLAC10_OID, CORE, f"{CORE}|1.10.0", CORE.replace("JLAC10/", "")]

    groups = {BUILT_IN.group_of([coding(code, s)]) for s in spellings for code in (HBA1C_LATEX, HBA1C_HPLC)}

    assert groups == {"HBA1C"}


def test_the_national_list_counts_before_what_else_was_sent() -> None:
    other, national = coding("3D010130002227101", JLAC10), coding("3D010000002227101")

    assert BUILT_IN.group_of([other, national]) == BUILT_IN.group_of([national, other]) == "GLUCOSE"


def test_a_facilitys_own_code_has_no_group_even_where_it_looks_like_a_national_one() -> None:
    assert BUILT_IN.group_of([coding(HBA1C_LATEX, LOCAL), coding("HBA1C", LOCAL)]) is None


def test_the_form_that_fixes_most_characters_speaks_for_a_code() -> None:
    codes = Codes(
        a_release(
            "urn:tsuzuri:group,WIDE,広い,,,,",
            "urn:tsuzuri:group,NARROW,狭い,,,,",
            "urn:x,AB??,広い,,,,WIDE",
            "urn:x,ABC?,狭い,,,,NARROW",
            "urn:x,ABCD,一つ,,,,WIDE",
        )
    )

    assert [codes.group_of([coding(c, "urn:x")]) for c in ("ABXY", "ABCX", "ABCD", "ABC", "ABCDE")] == [
        "WIDE",
        "NARROW",
        "WIDE",
        None,
        None,
    ]


def test_a_code_that_changed_its_group_means_what_it_meant_on_that_day() -> None:
    codes = Codes(
        a_release(
            "urn:tsuzuri:group,OLD,旧,,,,",
            "urn:tsuzuri:group,NEW,新,,,,",
            "urn:x,1,旧,,2026-03-31,,OLD",
            "urn:x,1,新,2026-04-01,2027-03-31,,NEW",
        )
    )
    days = [date(2026, 3, 31), date(2026, 4, 1), date(2030, 1, 1), None]

    assert [codes.group_of([coding("1", "urn:x")], day) for day in days] == ["OLD", "NEW", "NEW", "NEW"]
    assert [codes.known("urn:x", "1", day) for day in days if day] == [True, True, False]
    assert [entry and entry.display for entry in (codes.entry("urn:x", "1", day) for day in days)] == [
        "旧",
        "新",
        "新",
        "新",
    ]


def test_only_what_a_release_covers_can_be_unknown() -> None:
    assert not BUILT_IN.known(CORE, ODD, TODAY)
    assert BUILT_IN.known(JLAC10_OID, FILTRATION_RATE, TODAY)
    assert BUILT_IN.covers(JLAC10_OID)
    assert not BUILT_IN.covers(LOCAL)


# --- what a result measures


def test_a_result_goes_by_its_group_else_by_its_national_name_else_by_its_own() -> None:
    elsewhere = CORE.replace("JLAC10", "JLAC11")

    assert analyte(a_result(coding(HBA1C_LATEX)), BUILT_IN) == "HBA1C"
    assert analyte(a_result(coding("B", elsewhere, "HbA1c-NGSP")), BUILT_IN) == "name/HbA1c-NGSP"
    assert analyte(a_result(coding("0411", LOCAL, "A1c")), BUILT_IN) == "name/ヘモグロビンA1c"
    assert analyte(a_result(record_class=RecordClass.CONDITION), BUILT_IN) is None


def test_of_a_check_up_only_what_has_a_group_is_a_result() -> None:
    checkup = {"record_class": RecordClass.CHECKUP_REPORT}

    assert analyte(a_result(coding(HBA1C_LATEX, CHECKUP), **checkup), BUILT_IN) == "HBA1C"
    assert analyte(a_result(coding("9N011000000000001", CHECKUP), **checkup), BUILT_IN) is None


def test_the_day_of_a_result_is_japans() -> None:
    codes = Codes(
        a_release(
            "urn:tsuzuri:group,OLD,旧,,,,",
            "urn:tsuzuri:group,NEW,新,,,,",
            "urn:x,1,旧,,2026-03-31,,OLD",
            "urn:x,1,新,2026-04-01,,,NEW",
        )
    )
    measured = [datetime(2026, 3, 31, 14, 59, tzinfo=UTC), datetime(2026, 3, 31, 15, 0, tzinfo=UTC)]

    found = [analyte(a_result(coding("1", "urn:x"), effective_at=moment), codes) for moment in measured]

    assert found == ["OLD", "NEW"]


@given(st.text(max_size=40))
def test_no_name_that_a_facility_gives_a_test_passes_for_a_group(name: str) -> None:
    measured = analyte(a_result(name=name), BUILT_IN)

    assert measured == NAMED + name
    assert not GROUP_ID.fullmatch(measured)


@given(st.text(max_size=20), st.sampled_from(sorted(BUILT_IN.systems)))
def test_any_code_has_an_answer_and_the_same_one_each_time(code: str, system: str) -> None:
    asked = [coding(code, system)]

    assert BUILT_IN.group_of(asked) == Codes(built_in()).group_of(asked)


# --- what is asked for


def test_what_is_asked_becomes_groups() -> None:
    assert BUILT_IN.groups_asked(["HBA1C"]) == ["HBA1C"]
    assert BUILT_IN.groups_asked([HBA1C_HPLC, f"{JLAC10_OID}|{POTASSIUM}"]) == ["HBA1C", "K"]
    assert BUILT_IN.groups_asked([f"{LOCAL}|HBA1C", "0411", "hba1c", "", "|"]) == []


def test_a_code_alone_is_meant_as_the_national_list_means_it() -> None:
    assert BUILT_IN.groups_asked(["3D010000002227101"]) == ["GLUCOSE"]
    assert BUILT_IN.groups_asked([f"{CHECKUP}|3D010000002227101"]) == ["GLUCOSE_FASTING"]
