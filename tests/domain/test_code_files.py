"""A release as a file: what it may say, and what is told of one that cannot be taken up."""

from datetime import date
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from code_examples import CORE, HEADER, JLAC10_OID, LOCAL, a_release, an_entry, with_filtration_rate
from tsuzuri.domain.code_changes import code_changes
from tsuzuri.domain.code_files import (
    ReleaseMalformed,
    canonical_bytes,
    read_release,
    release_sha256,
)
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import CodeEntry, Codes, Release
from tsuzuri.domain.rules.systems import JLAC10
from tsuzuri.domain.vocabulary import RecordClass

GROUP = "urn:tsuzuri:group,HBA1C,HbA1c(NGSP),,,LAB_RESULT,"
LINE = f"{JLAC10_OID},3D046000001906202,HbA1c,2008-04-01,2027-03-31,LAB_RESULT,HBA1C"
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
texts = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=12)


def test_csv_and_json_of_the_same_are_the_same_release() -> None:
    cells = [dict(zip(HEADER.split(","), line.split(","), strict=True)) for line in (LINE, GROUP)]
    sparse = [{name: value or None for name, value in one.items()} for one in cells]

    csv, json = a_release(GROUP, LINE), read_release("test-1", msgspec.json.encode(sparse))

    assert csv == json
    assert csv.entries[0] == CodeEntry(
        system=JLAC10,
        code="3D046000001906202",
        display="HbA1c",
        valid_from=date(2008, 4, 1),
        valid_to=date(2027, 3, 31),
        record_class=RecordClass.LAB_RESULT,
        group="HBA1C",
    )


def test_order_line_ends_and_spelling_make_no_other_release() -> None:
    other = "\r\n".join(
        ["\ufeff" + HEADER, LINE.replace(JLAC10_OID, JLAC10), f'"urn:tsuzuri:group"{GROUP[17:]}']
    )

    assert release_sha256(read_release("x", other.encode())) == release_sha256(a_release(GROUP, LINE))


def test_the_built_in_release_can_be_written_and_read_back() -> None:
    written = canonical_bytes(built_in())

    assert set(read_release("again", written).entries) == set(built_in().entries)
    assert canonical_bytes(read_release("again", written)) == written


@given(st.dictionaries(texts, st.tuples(texts, st.none() | days, st.none() | days), min_size=1, max_size=8))
def test_every_release_reads_as_it_was_written(said: dict[str, tuple[str, date | None, date | None]]) -> None:
    entries = [
        an_entry(code.replace("?", "x"), display=display, valid_from=first, valid_to=last, system="urn:x")
        for code, (display, first, last) in said.items()
        if (first or date.min) <= (last or date.max)
    ]
    by_code = {entry.code: entry for entry in entries} or {"1": an_entry("1")}
    release = Release("r", tuple(by_code.values()))

    read = read_release("r", canonical_bytes(release))

    assert set(read.entries) == set(release.entries)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"{CORE},1,a,2026-13-01,,,", "line 3: valid_from is not a day, YYYY-MM-DD"),
        (f"{CORE},1,a,2026-04-01,2026-03-31,,", "line 3: it ends before it begins"),
        (f"{CORE},,a,,,,", "line 3: code is empty"),
        (f"{CORE}, 1,a,,,,", "line 3: code has blanks around it"),
        (f"{CORE},1,a,,,PROGNOSIS,", "line 3: no class is called PROGNOSIS"),
        (f"{CORE},1,a,,,LAB_RESULT,GFR", "line 3: no line names the group GFR"),
        (f"{CORE},1,a,,,INFECTION,HBA1C", "line 3: its class is not that of its group"),
        (f"{CORE},1,a,,", "line 3: 5 values instead of 7"),
        (f"{LOCAL},0411,a,,,LAB_RESULT,HBA1C", "line 3: all facilities have this one system"),
        ("urn:tsuzuri:group,hba1c,a,,,LAB_RESULT,", "line 3: a group has an id of capitals"),
        (
            "urn:tsuzuri:group,HBA1C,a,,,LAB_RESULT,",
            "line 3: it speaks of the same code on the same day as line 2",
        ),
        (f'{CORE},1,"a,,,,', "line 3: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, told: str) -> None:
    with pytest.raises(ReleaseMalformed) as caught:
        a_release(GROUP, line)

    assert str(caught.value).startswith(told)


def test_every_wrong_line_is_told_up_to_twenty() -> None:
    with pytest.raises(ReleaseMalformed) as caught:
        a_release(*[f"{CORE},,a,,,,"] * 22)

    told = str(caught.value).splitlines()
    assert (told[0], told[19], told[20]) == ("line 2: code is empty", "line 21: code is empty", "and 2 more")


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("AB?D,a,,,,", "A?CD,b,,,,", True),  # ABCD is of both, and neither fixes more
        ("AB?D,a,,,,", "AX?D,b,,,,", False),
        ("AB??,a,,,,", "AB?D,b,,,,", False),  # the second is the closer one
        ("1,a,,2026-03-31,,", "1,b,2026-04-01,,,", False),
        ("1,a,,2026-04-01,,", "1,b,2026-04-01,,,", True),
    ],
)
def test_two_lines_never_speak_for_one_code_on_one_day(one: str, other: str, meets: bool) -> None:
    if not meets:
        assert len(a_release(f"urn:x,{one}", f"urn:x,{other}").entries) == 2
        return
    with pytest.raises(
        ReleaseMalformed, match="line 3: it speaks of the same code on the same day as line 2"
    ):
        a_release(f"urn:x,{one}", f"urn:x,{other}")


@given(st.lists(st.text("AB?", min_size=3, max_size=3), min_size=1, max_size=6, unique=True))
def test_of_a_release_that_is_taken_each_code_has_one_meaning_in_whatever_order_it_is_listed(
    forms: list[str],
) -> None:
    lines = [f"urn:x,{form},{form},,,," for form in forms]
    try:
        release = a_release(*lines)
    except ReleaseMalformed:
        return
    one, other = Codes(release), Codes(Release("other", release.entries[::-1]))

    for code in map("".join, product("AB", repeat=3)):
        fitting = [form for form in forms if all(a in ("?", b) for a, b in zip(form, code, strict=True))]
        entry = one.entry("urn:x", code)
        assert entry == other.entry("urn:x", code)
        assert (entry is None) == (not fitting)
        assert entry is None or entry.code == min(fitting, key=lambda form: form.count("?"))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "line 1: the header is to be: system,code"),
        (b"code,system\n", "line 1: the header is to be: system,code"),
        (HEADER.encode() + b"\n\xff,1,a,,,,", "line 2: not UTF-8"),
        (HEADER.encode(), "there is no code in it"),
        (b'[{"system": "urn:x", "code": 1}]', "not an array of objects whose values are texts"),
        (b'[{"system": "urn:x", "colour": "red"}]', "entry 1: no column is called colour"),
        (b'[{"system": "urn:x", "code": "1"}]', "entry 1: display is empty"),
    ],
)
def test_a_file_that_is_no_release_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(ReleaseMalformed) as caught:
        read_release("x", body)

    assert str(caught.value).startswith(told)


def test_a_release_has_a_plain_name() -> None:
    with pytest.raises(ReleaseMalformed, match="cannot name a release"):
        read_release("../etc", canonical_bytes(built_in()))


def test_what_changes_between_two_releases_is_told_by_kind() -> None:
    old = a_release(GROUP, "urn:x,1,one,,,,", "urn:x,2,two,,,,", "urn:x,3,three,,,LAB_RESULT,HBA1C")
    new = a_release(GROUP, "urn:x,1,uno,,2027-03-31,,", "urn:x,3,three,,,LAB_RESULT,", "urn:x,4,four,,,,")

    found = code_changes(old, new)

    assert [entry.code for entry in found.added] == ["4"]
    assert [entry.code for entry in found.removed] == ["2"]
    assert [after.valid_to for _, after in found.validity] == [date(2027, 3, 31)]
    assert [after.display for _, after in found.display] == ["uno"]
    assert [(before.group, after.group) for before, after in found.group] == [("HBA1C", None)]
    assert not code_changes(new, new)
    assert len(code_changes(built_in(), with_filtration_rate()).added) == 2
