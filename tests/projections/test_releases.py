"""A generation is filled under one code release: a new one changes nothing that is there, until it is made anew."""

from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from code_examples import (
    BUILT_IN,
    CORE,
    FILTRATION_RATE,
    HBA1C_HPLC,
    HBA1C_LATEX,
    LOCAL,
    a_release,
    results_bundle,
    with_filtration_rate,
)
from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, NUMBER, OPERATOR, a_bundle
from log_examples import Run
from projection_examples import SENDER, an_engine, catch_up, live_rows
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.take_release import take_release
from tsuzuri.app.services import Services
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Codes, CodesUnknown
from tsuzuri.domain.rules.systems import DISEASE, JLAC10
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.code_report import Effect, UnknownCode, effects, unknown_codes
from tsuzuri.projections.generations import (
    begin_rebuild,
    generations,
    live_generation,
    previous_generation,
    promote,
)
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.record_rows import EntryRow

INDEX = PROJECTIONS["record_index"]
EGFR = {"eGFR": [(JLAC10, FILTRATION_RATE)]}
NEW = with_filtration_rate()
DIAGNOSES = {"20065011": "上腹部痛", "20071111": "発熱", "20072222": "咳"}


def send(run: Run, facility: str, codes: dict[str, list[tuple[str, str]]], local_id: str = "labs-1") -> UUID:
    async def sent(services: Services) -> UUID:
        bundle = results_bundle(facility, codes, number=NUMBER, local_id=local_id)
        return (await register_bundle(services, SENDER, bundle, on_behalf=True)).patient

    patient: UUID = run(sent)
    return patient


def take(run: Run, release: Any = NEW) -> bool:
    taken: bool = run(lambda services: take_release(services, OPERATOR, release))
    return taken


def analytes(connection: Connection[Any]) -> list[str]:
    catch_up(connection)
    return sorted(row.analyte for row in live_rows(connection, "record_index", EntryRow) if row.analyte)


def test_results_of_two_facilities_and_two_methods_are_one_group(
    run: Run, connection: Connection[Any]
) -> None:
    send(run, CLINIC, {"HbA1c": [(CORE, HBA1C_LATEX), (LOCAL, "0411")]})
    send(run, HOSPITAL, {"ヘモグロビンA1c": [(CORE, HBA1C_HPLC), (LOCAL, "A-77")], "血沈": [(LOCAL, "0411")]})

    assert analytes(connection) == ["HBA1C", "HBA1C", "name/血沈"]


def test_a_new_release_holds_for_new_generations_only(run: Run, connection: Connection[Any]) -> None:
    engine = an_engine()
    send(run, CLINIC, EGFR)
    before = analytes(connection)

    assert take(run)
    send(run, HOSPITAL, EGFR)
    still = analytes(connection)
    rebuilt = rebuild(connection, engine, INDEX)
    beside = analytes(connection)
    promote(connection, engine, INDEX, rebuilt.generation)
    after = analytes(connection)

    assert (before, still, beside) == (["name/eGFR"], ["name/eGFR"] * 2, ["name/eGFR"] * 2)
    assert after == ["EGFR", "EGFR"]
    assert [one.codes for one in generations(connection, INDEX.name)] == [built_in().name, NEW.name]


def test_the_rebuild_says_under_which_releases_it_compared_and_waits_for_an_order(
    run: Run, connection: Connection[Any]
) -> None:
    send(run, CLINIC, EGFR)
    take(run)

    rebuilt = rebuild(connection, an_engine(), INDEX)

    assert rebuilt.comparison is not None
    assert [one.columns for one in rebuilt.comparison.differences] == [["analyte", "ranked_as"]]
    assert rebuilt.comparison.codes == (built_in().name, NEW.name)
    assert (rebuilt.promoted, live_generation(connection, INDEX.name)) == (False, rebuilt.live)


def test_a_rollback_brings_the_groups_of_then_back_and_goes_on_under_them(
    run: Run, connection: Connection[Any]
) -> None:
    engine = an_engine()
    send(run, CLINIC, EGFR)
    take(run)
    promote(connection, engine, INDEX, rebuild(connection, engine, INDEX).generation)

    promote(connection, engine, INDEX, previous_generation(connection, INDEX.name))
    send(run, HOSPITAL, EGFR)

    assert analytes(connection) == ["name/eGFR", "name/eGFR"]


def test_what_was_begun_under_an_earlier_release_is_begun_anew(run: Run, connection: Connection[Any]) -> None:
    engine = an_engine()
    begun = begin_rebuild(connection, engine, INDEX)
    again = begin_rebuild(connection, engine, INDEX)
    take(run)

    anew = begin_rebuild(connection, engine, INDEX)

    assert again == begun
    assert [(one.state, one.codes) for one in generations(connection, INDEX.name)] == [
        ("LIVE", built_in().name),
        ("FILLING", NEW.name),
    ]
    assert anew == generations(connection, INDEX.name)[-1].generation


def test_a_generation_under_a_release_that_the_log_does_not_hold_is_not_filled_with_guesses(
    run: Run, connection: Connection[Any]
) -> None:
    send(run, CLINIC, EGFR)
    connection.execute("UPDATE projection_generation SET codes = 'nobody-1'")

    with pytest.raises(CodesUnknown, match="the log holds no code release nobody-1"):
        catch_up(connection)

    assert live_rows(connection, "record_index", EntryRow) == []


def test_bytes_that_are_not_those_taken_up_are_not_used(run: Run, connection: Connection[Any]) -> None:
    take(run)
    engine = an_engine()
    connection.execute("DELETE FROM payload")

    with pytest.raises(CodesUnknown, match="has lost the bytes of code release tsuzuri-2027.04"):
        engine.releases.codes(connection, NEW.name)


def test_what_a_release_would_do_is_counted_by_facility_and_class(
    run: Run, connection: Connection[Any]
) -> None:
    send(run, CLINIC, EGFR | {"HbA1c": [(CORE, HBA1C_LATEX)]})
    send(run, HOSPITAL, EGFR)
    send(run, HOSPITAL, EGFR, local_id="labs-2")
    catch_up(connection)

    found = effects(connection, BUILT_IN, Codes(NEW))

    assert found == [
        Effect(CLINIC, "LAB_RESULT", regrouped=1, known=0, unknown=0),
        Effect(HOSPITAL, "LAB_RESULT", regrouped=2, known=0, unknown=0),
    ]


def test_a_release_that_covers_diagnoses_counts_a_code_as_of_the_day_it_was_reported(
    run: Run, connection: Connection[Any]
) -> None:
    run(lambda services: register_bundle(services, CLINIC_SYSTEM, a_bundle(conditions=DIAGNOSES)))
    catch_up(connection)
    listed = a_release(
        f"{DISEASE},20065011,上腹部痛,2026-01-01,,CONDITION,",  # of an onset long before
        f"{DISEASE},20071111,発熱,,2025-12-31,CONDITION,",
    )

    found = effects(connection, BUILT_IN, Codes(listed))
    unknown = unknown_codes(connection, Codes(listed))

    assert found == [Effect(CLINIC, "CONDITION", regrouped=0, known=0, unknown=2)]
    assert sorted(one.code for one in unknown) == ["20071111", "20072222"]


def test_unknown_codes_are_counted_by_facility_and_replaced_entries_are_not(
    run: Run, connection: Connection[Any]
) -> None:
    odd = {"見本": [(CORE, "9X999000002399901"), (LOCAL, "0411")]}
    send(run, CLINIC, odd)
    send(run, CLINIC, odd, local_id="labs-2")
    send(run, HOSPITAL, odd)
    send(run, HOSPITAL, EGFR)  # under the same key: it replaces the odd one
    catch_up(connection)

    assert unknown_codes(connection, BUILT_IN) == [
        UnknownCode(CLINIC, "LAB_RESULT", CORE, "9X999000002399901", entries=2)
    ]
    assert unknown_codes(connection, BUILT_IN, HOSPITAL) == []
