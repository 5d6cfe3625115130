"""Numbers in the spellings that people and systems send them in, brought to one, or refused without an echo."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from tsuzuri.domain.identifiers import (
    InsuredPersonNumber,
    LocalNumber,
    MalformedNumber,
    PublicAssistanceNumber,
    facility_number,
)

# --- 被保険者番号

SPELLINGS = {
    "half width": "00012345:あいう:187:05",
    "full width digits": "０００１２３４５:あいう:１８７:０５",
    "full width throughout": "０００１２３４５：あいう：１８７：０５",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_full_width_and_half_width_name_the_same_person(text: str) -> None:
    assert InsuredPersonNumber.parse(text).text == "00012345:あいう:187:05"


def test_a_mark_that_was_sent_apart_from_its_kana_joins_it() -> None:
    assert InsuredPersonNumber.parse("00012345:か\u3099:1:01") == InsuredPersonNumber.parse(
        "00012345:が:1:01"
    )


def test_half_width_kana_are_spelled_like_full_width_ones() -> None:
    assert InsuredPersonNumber.parse("00012345:ｶﾞ:1:01") == InsuredPersonNumber.parse("00012345:ガ:1:01")


@pytest.mark.parametrize(
    "text", ["00012345::187:05", "00012345:あいう::05", "00012345:あいう:187:", "00012345:::"]
)
def test_missing_parts_stay_empty_and_their_colons_stay(text: str) -> None:
    assert InsuredPersonNumber.parse(text).text == text


def test_family_members_are_told_apart_by_the_branch_number() -> None:
    three = {InsuredPersonNumber.parse(f"00012345:あいう:187:{branch}") for branch in ("", "01", "02")}

    assert len(three) == 3


REFUSED = {
    "empty": "",
    "blank inside": "00012345:あ う:187:05",
    "ideographic blank inside": "00012345:あ　う:187:05",
    "blank before": " 00012345:あいう:187:05",
    "blank behind": "00012345:あいう:187:05 ",
    "line break behind": "00012345:あいう:187:05\n",
    "tab": "00012345:あいう\t:187:05",
    "seven digits": "0001234:あいう:187:05",
    "nine digits": "000123456:あいう:187:05",
    "letters for digits": "0001234O:あいう:187:05",
    "digits of another script": "٠٠٠١٢٣٤٥:あいう:187:05",
    "a colon too few": "00012345:あいう:187",
    "a colon too many": "00012345:あいう:187:05:",
    "branch of one digit": "00012345:あいう:187:5",
    "branch of three digits": "00012345:あいう:187:005",
    "branch of letters": "00012345:あいう:187:ab",
    "another number altogether": "P-4711",
    "a NUL": "00012345:あ\0う:187:05",
    "a character nobody sees": "00012345:あ\u200bう:187:05",
    "65 characters": f"00012345:{'あ' * 53}::05",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_not_an_insured_person_number_is_refused(text: str) -> None:
    with pytest.raises(MalformedNumber) as refused:
        InsuredPersonNumber.parse(text)

    assert "保険者番号8桁:記号:番号:枝番" in str(refused.value)
    assert not text or text not in str(refused.value)


part = st.text(st.characters(exclude_characters=":", exclude_categories=["Cs", "Cc", "Z"]), max_size=8)


@for_all(st.from_regex(r"[0-9]{8}", fullmatch=True), part, part, st.sampled_from(["", "00", "01", "99"]))
def test_the_one_spelling_is_its_own_spelling(insurer: str, symbol: str, number: str, branch: str) -> None:
    try:
        once = InsuredPersonNumber.parse(f"{insurer}:{symbol}:{number}:{branch}")
    except MalformedNumber:
        return  # a character whose plain spelling is a colon or a blank
    assert InsuredPersonNumber.parse(once.text) == once


# --- 保険医療機関番号


@pytest.mark.parametrize(
    "number", ["1311234567", "1331234567", "1341234567", "0110000001", "4710000001"], ids=str
)
def test_hospitals_dentists_and_pharmacies_have_numbers_of_ten_digits(number: str) -> None:
    assert facility_number(number) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "131123456",
        "13112345678",
        "5311234567",
        "131123456a",
        "１３１１２３４５６７",
        "1311234567\n",
        " 1311234567",
    ],
    ids=["empty", "nine", "eleven", "no prefecture", "a letter", "full width", "line break", "blank"],
)
def test_what_is_not_ten_digits_of_a_prefecture_is_refused(text: str) -> None:
    with pytest.raises(MalformedNumber) as refused:
        facility_number(text)

    assert not text.strip() or text.strip() not in str(refused.value)


# --- 患者番号


def test_a_local_number_is_trimmed_and_half_width() -> None:
    assert LocalNumber.parse("1311234567", " Ｐ－１ ") == LocalNumber("1311234567", "P-1")


def test_the_same_local_number_at_another_facility_is_another_number() -> None:
    assert LocalNumber.parse("1311234567", "1") != LocalNumber.parse("1319876543", "1")


def test_leading_zeros_are_part_of_a_local_number() -> None:
    assert LocalNumber.parse("1311234567", "007") != LocalNumber.parse("1311234567", "7")


@pytest.mark.parametrize(
    "number",
    ["", "   ", "　", "9" * 65, "P\0-1", "P\u200b1"],
    ids=["empty", "blanks", "wide blank", "65", "NUL", "unseen"],
)
def test_a_local_number_has_one_to_sixty_four_readable_characters(number: str) -> None:
    with pytest.raises(MalformedNumber):
        LocalNumber.parse("1311234567", number)

    assert LocalNumber.parse("1311234567", "9" * 64).number == "9" * 64


def test_a_local_number_means_nothing_without_a_facility() -> None:
    with pytest.raises(MalformedNumber):
        LocalNumber.parse("131123456", "P-1")


# --- which part is wrong, and what a lookup forgives


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0001234:あ:187:05", "保険者番号 has not 8 digits"),
        ("00012345:あ い:187:05", "記号 has a blank"),
        ("00012345:あ:18 7:05", "番号 has a blank"),
        ("00012345:あ:187:5", "枝番 is not two digits; write 01 for 1"),
        ("00012345:あ:187", "2 colons instead of 3"),
    ],
)
def test_the_error_says_which_part_is_wrong(text: str, part: str) -> None:
    with pytest.raises(MalformedNumber, match=part):
        InsuredPersonNumber.parse(text)


def test_kana_size_hyphens_and_leading_zeros_tell_people_apart() -> None:
    written = ["00012345:ッ:187:05", "00012345:ツ:187:05", "00012345:ツ:0187:05", "00012345:ツ:1-87:05"]

    assert [InsuredPersonNumber.parse(text).text for text in written] == written


def test_a_lookup_forgives_a_branch_of_one_digit_and_nothing_more() -> None:
    assert InsuredPersonNumber.asked("00012345:あ:187:５").text == "00012345:あ:187:05"
    assert InsuredPersonNumber.asked("00012345:あ:187:").text == "00012345:あ:187:"
    with pytest.raises(MalformedNumber):
        InsuredPersonNumber.asked("00012345:あ:187:005")


def test_what_a_lost_branch_makes_of_a_number_and_what_it_may_have_been() -> None:
    whole, lost = (InsuredPersonNumber.parse(f"00012345:あ:187:{branch}") for branch in ("05", ""))

    assert whole.with_or_without_branch() == (lost,)
    assert whole in lost.with_or_without_branch()
    assert len(lost.with_or_without_branch()) == 100


# --- 公費負担者番号・受給者番号


def test_a_public_assistance_number_is_half_width() -> None:
    spelled = PublicAssistanceNumber.parse("１２３４５６７８：：１２３４５６７：")

    assert spelled == PublicAssistanceNumber("12345678::1234567:")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345678::123456:",
        "1234567::1234567:",
        "12345678:1234567:",
        "12345678:あ:1234567:",
        "12345678::1234567",
    ],
)
def test_what_is_not_a_public_assistance_number_is_refused(text: str) -> None:
    with pytest.raises(MalformedNumber) as refused:
        PublicAssistanceNumber.parse(text)

    assert not text or text not in str(refused.value)
