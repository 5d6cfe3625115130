"""`tsuzuri codes`: what an operator sees of a release before it is taken up, and after."""

import json
from asyncio import gather
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from code_examples import CORE, FILTRATION_RATE, HBA1C_LATEX, LOCAL, ODD, results_bundle, with_filtration_rate
from command_examples import Done, Tsuzuri
from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, NUMBER, OPERATOR
from log_examples import KEY_SETTINGS, KEYS, Run, settings_at
from projection_examples import SENDER, catch_up
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.take_release import take_release
from tsuzuri.app.database import bring_up
from tsuzuri.app.services import Services
from tsuzuri.domain.code_files import canonical_bytes
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Release
from tsuzuri.domain.events import CodeReleaseTaken
from tsuzuri.domain.owners import codes_owner
from tsuzuri.domain.rules.systems import JLAC10
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.projections.generations import generations

NEW = with_filtration_rate()
Order = Callable[..., Done]


@pytest.fixture
def codes(tsuzuri: Tsuzuri, dsn: str, run: Run, connection: Connection[Any]) -> Order:
    """`tsuzuri codes`, where two facilities have sent results, one of them under an odd code."""

    async def sent(services: Services) -> None:
        for facility, tests in (
            (CLINIC, {"eGFR": [(JLAC10, FILTRATION_RATE)], "HbA1c": [(CORE, HBA1C_LATEX)]}),
            (HOSPITAL, {"秘密の検査": [(CORE, ODD), (LOCAL, "0999")]}),
        ):
            await register_bundle(
                services, SENDER, results_bundle(facility, tests, number=NUMBER), on_behalf=True
            )

    run(sent)
    catch_up(connection)
    return lambda *words: tsuzuri("codes", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / f"{NEW.name}.csv"
    path.write_bytes(canonical_bytes(NEW))
    return path


def taken(run: Run) -> list[CodeReleaseTaken]:
    events: list[CodeReleaseTaken] = run(lambda opened: opened.log.stream(codes_owner(), Stream.RECORD))
    return events


def test_a_difference_is_told_and_nothing_is_stored(codes: Order, file: Path, run: Run) -> None:
    done = codes("diff", str(file))

    assert done.code == 1
    assert done.out.splitlines() == [
        "tsuzuri-2027.04 against tsuzuri-2026.11, which is in force:",
        "2 added",
        f"  {JLAC10}|{FILTRATION_RATE} eGFR (EGFR)",
        "  group EGFR 推算GFR",
        "entries of the record index that would be read otherwise:",
        f"  {CLINIC} LAB_RESULT: 1 in another group, 0 known at last, 0 not known any more",
    ]
    assert taken(run) == []


def test_the_release_in_force_differs_in_nothing_from_itself(codes: Order, tmp_path: Path) -> None:
    exported = codes("export")
    same = tmp_path / "same.csv"
    same.write_text(exported.out, "utf-8")

    done = codes("diff", str(same))

    assert exported.out.encode() == canonical_bytes(built_in())
    assert (done.code, done.out) == (0, "same says the same as tsuzuri-2026.11, which is in force\n")


def test_a_release_is_shown_taken_up_and_listed(codes: Order, file: Path, run: Run) -> None:
    done = codes("take", str(file))
    again = codes("take", str(file))
    listed = codes("list").out.splitlines()

    assert done.code == 0
    assert "2 added" in done.out
    assert done.out.splitlines()[-2:] == [
        "tsuzuri-2027.04 is in force. What is indexed stays as it is until it is made anew under it:",
        "  tsuzuri projections rebuild record_index, then: tsuzuri projections promote record_index",
    ]
    assert again.out.splitlines()[-1] == "tsuzuri-2027.04 is in force already"
    assert [(one.release, one.codes) for one in taken(run)] == [(NEW.name, len(NEW.entries))]
    assert listed[0].startswith("tsuzuri-2026.11  built in") and not listed[0].endswith("in force")
    assert listed[1].startswith("tsuzuri-2027.04  ") and listed[1].endswith("  in force")
    assert "record_index generation 1 LIVE: under tsuzuri-2026.11" in listed


def test_an_earlier_release_can_be_taken_up_again(codes: Order, file: Path, tmp_path: Path, run: Run) -> None:
    codes("take", str(file))
    before = tmp_path / "tsuzuri-2026.11.csv"
    before.write_text(codes("export", "tsuzuri-2026.11").out, "utf-8")

    done = codes("take", str(before))

    assert done.code == 0
    assert [one.release for one in taken(run)] == ["tsuzuri-2027.04", "tsuzuri-2026.11"]
    assert codes("export", "tsuzuri-2027.04").out.encode() == canonical_bytes(NEW)
    assert codes("diff", str(before)).code == 0


def test_a_name_stays_with_its_codes(codes: Order, file: Path, run: Run) -> None:
    done = codes("take", str(file), "--name", "tsuzuri-2026.11")

    assert done.code == 2
    assert "tsuzuri-2026.11 is the name of another release" in done.err
    assert taken(run) == []


def test_a_wrong_file_is_told_line_by_line(codes: Order, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(
        "system,code,display,valid_from,valid_to,class,group\nurn:x,1,a,1.4.2026,,,\nurn:x,,b,,,,\n", "utf-8"
    )

    done = codes("diff", str(wrong))

    assert done.code == 2
    assert "line 2: valid_from is not a day, YYYY-MM-DD\nline 3: code is empty" in done.err


def test_unknown_codes_are_told_by_facility_and_never_whose(codes: Order) -> None:
    told = codes("unknown")
    of_clinic = codes("unknown", "--facility", CLINIC)
    as_json = [json.loads(line) for line in codes("unknown", "--json").out.splitlines()]

    assert told.code == 0
    assert told.out.splitlines() == [
        f"{HOSPITAL} LAB_RESULT: {CORE}|{ODD} in 1 entries",
        "1 codes are not known to tsuzuri-2026.11",
    ]
    assert of_clinic.out == "0 codes are not known to tsuzuri-2026.11\n"
    assert as_json == [
        {"facility": HOSPITAL, "record_class": "LAB_RESULT", "system": CORE, "code": ODD, "entries": 1}
    ]
    assert "秘密" not in told.out + str(as_json)


def test_a_check_tells_under_which_releases_two_generations_stand(
    tsuzuri: Tsuzuri, dsn: str, codes: Order, file: Path
) -> None:
    codes("take", str(file))
    projections = [
        tsuzuri("projections", word, "record_index", TSUZURI_DATABASE=dsn, **KEY_SETTINGS)
        for word in ("rebuild", "check", "promote", "rebuild")
    ]

    under = (
        "; the live one is filled under code release tsuzuri-2026.11, the new one under tsuzuri-2027.04: "
        "groups are meant to differ"
    )
    assert [done.code for done in projections] == [1, 1, 0, 0]
    assert projections[0].out.splitlines()[0].endswith(under)
    assert projections[1].out.splitlines()[0] == f"record_index: 1 of 1 patients differ{under}"
    assert "under" not in projections[3].out


def test_only_an_operator_takes_up_a_release(run: Run) -> None:
    with pytest.raises(NotPermitted):
        run(lambda opened: take_release(opened, CLINIC_SYSTEM, NEW))

    assert taken(run) == []


def test_two_who_take_up_releases_at_once_are_both_in_the_log(run: Run) -> None:
    other = Release("other-1", NEW.entries)

    async def both(services: Services) -> None:
        await gather(*(take_release(services, OPERATOR, one) for one in (NEW, other)))

    run(both)

    assert sorted(one.release for one in taken(run)) == ["other-1", "tsuzuri-2027.04"]
    assert [one.originator_version for one in taken(run)] == [1, 2]


def test_a_projection_that_is_new_to_the_database_begins_under_the_release_in_force(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    run(lambda opened: take_release(opened, OPERATOR, NEW))
    drop_projection(connection, "facilities")

    bring_up(settings_at(KEYS), dsn)

    assert [one.codes for one in generations(connection, "facilities")] == [NEW.name]
    assert [one.codes for one in generations(connection, "record_index")] == [built_in().name]


def test_a_database_without_a_release_of_its_own_is_brought_up_without_keys(
    dsn: str, connection: Connection[Any], tmp_path: Path
) -> None:
    drop_projection(connection, "facilities")
    nowhere = settings_at(tmp_path, TSUZURI_ENCRYPTION_KEYS_FILE=str(tmp_path / "not-here"))

    bring_up(nowhere, dsn)

    assert [one.codes for one in generations(connection, "facilities")] == [built_in().name]


def drop_projection(connection: Connection[Any], name: str) -> None:
    """As it is in a database of a program that did not have it yet."""
    connection.execute("DELETE FROM projection_generation WHERE name = %s", (name,))
    connection.execute("DELETE FROM projection WHERE name = %s", (name,))
    connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(f"{name}_g1")))
