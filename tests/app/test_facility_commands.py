"""`tsuzuri facilities`: a file goes in whole or not at all, the list is shown, a facility is closed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from command_examples import Done, Tsuzuri
from log_examples import KEY_SETTINGS
from projection_examples import catch_up

CSV = """number,name,kind,municipality,municipality_name,departments,emergency
1310000001,試験病院,HOSPITAL,131016,千代田区,内科;外科,true
1340000002,試験薬局,PHARMACY,,,,
"""
Order = Callable[..., Done]


@pytest.fixture
def facilities(tsuzuri: Tsuzuri, dsn: str) -> Order:
    return lambda *words: tsuzuri("facilities", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "facilities.csv"
    path.write_text(CSV, "utf-8")
    return path


def test_facilities_are_loaded_listed_closed_and_loaded_again(
    facilities: Order, file: Path, connection: Connection[Any]
) -> None:
    loaded = facilities("load", file)
    again = facilities("load", file)
    closed = facilities("close", "1340000002", "--why", "廃止届")
    catch_up(connection)
    listed = facilities("list")
    as_json = [json.loads(line) for line in facilities("list", "--json").out.splitlines()]
    reopened = facilities("load", file)

    assert loaded.out == "2 facilities read, 2 entered or changed\n"
    assert again.out == "2 facilities read, 0 entered or changed\n"
    assert closed.out == "1340000002 is closed\n"
    hospital, pharmacy = listed.out.splitlines()
    assert hospital == "1310000001  病院  試験病院  千代田区  内科、外科  救急"
    assert pharmacy.startswith("1340000002  薬局  試験薬局  closed 20")
    assert [one["number"] for one in as_json] == ["1310000001", "1340000002"]
    assert as_json[0]["municipality"] == "13101"
    assert [one["closed_at"] is None for one in as_json] == [True, False]
    assert reopened.out == "2 facilities read, 1 entered or changed\n"


def test_nothing_of_a_file_with_faults_is_entered(
    facilities: Order, file: Path, connection: Connection[Any]
) -> None:
    file.write_text(CSV.replace("PHARMACY", "CLINIC").replace("true", "yes"), "utf-8")

    done = facilities("load", file)

    assert done.code == 2
    assert done.err.splitlines() == [
        "tsuzuri: line 2: emergency is true or false",
        "line 3: the third digit of a CLINIC's number is 1 (点数表)",
    ]
    assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)


def test_a_facility_that_is_not_listed_cannot_be_closed(facilities: Order) -> None:
    done = facilities("close", "1310000001")

    assert (done.code, done.err) == (1, "tsuzuri: no facility of that number is listed\n")
    assert facilities("close", "13").code == 2
