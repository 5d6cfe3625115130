"""The list of facilities through real actions: entered, changed, closed and opened again by the operating body."""

from dataclasses import replace
from typing import Any

import pytest
from psycopg import Connection

from examples import CLINIC, CLINIC_SYSTEM, DOCTOR, HOSPITAL, OPERATOR
from log_examples import Run, interrupted
from projection_examples import catch_up, live_rows, rebuilt
from tsuzuri.app.actions.close_facility import close_facility
from tsuzuri.app.actions.list_facilities import list_facilities
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.facilities import Facility, FacilityMalformed, NothingToClose
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.vocabulary import FacilityKind
from tsuzuri.projections import facilities
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.facilities import FacilityRow


def test_a_facility_has_the_last_entry_the_operating_body_made(run: Run, connection: Connection[Any]) -> None:
    clinic = Facility(
        CLINIC, "試験診療所", FacilityKind.CLINIC, "11201", "川越市", ("内科", "小児科"), emergency=False
    )
    hospital = Facility(HOSPITAL, "試験病院", FacilityKind.HOSPITAL, emergency=True)
    renamed = Facility(CLINIC, "新試験診療所", FacilityKind.CLINIC, departments=("内科",))

    async def story(services: Services) -> list[int]:
        entered = [[clinic, hospital], [clinic, hospital], [renamed]]
        return [await list_facilities(services, OPERATOR, facilities_) for facilities_ in entered]

    assert run(story) == [2, 0, 1]
    catch_up(connection)

    rows = {row.facility: row for row in live_rows(connection, facilities.NAME, FacilityRow)}
    assert rows.keys() == {CLINIC, HOSPITAL}
    for facility in (renamed, hospital):
        row = rows[facility.number]
        assert row.owner_id == facility_owner(facility.number)
        assert (row.name, row.kind, row.emergency) == (facility.name, facility.kind, facility.emergency)
        assert (row.municipality, row.departments) == (facility.municipality, list(facility.departments))
        assert row.closed_at is None
    assert rebuilt(connection, PROJECTIONS[facilities.NAME]).equal


def test_a_closed_facility_stays_listed_without_its_right_until_it_is_listed_anew(
    run: Run, connection: Connection[Any]
) -> None:
    hospital = Facility(HOSPITAL, "試験病院", FacilityKind.HOSPITAL, emergency=True)

    def row() -> FacilityRow:
        catch_up(connection)
        (found,) = live_rows(connection, facilities.NAME, FacilityRow)
        return found

    async def closed(services: Services) -> list[bool]:
        return [await close_facility(services, OPERATOR, HOSPITAL, "統合") for _ in range(2)]

    assert run(lambda services: list_facilities(services, OPERATOR, [hospital])) == 1
    assert run(closed) == [True, False]
    gone = row()
    assert run(lambda services: list_facilities(services, OPERATOR, [hospital])) == 1
    back = row()

    assert (gone.name, gone.emergency) == ("試験病院", False)
    assert gone.closed_at is not None
    assert (back.emergency, back.closed_at) == (True, None)
    assert rebuilt(connection, PROJECTIONS[facilities.NAME]).equal


def test_of_facilities_one_of_which_cannot_be_entered_none_is(run: Run, connection: Connection[Any]) -> None:
    sound = Facility(CLINIC, "試験診療所", FacilityKind.CLINIC)
    wrong = Facility(HOSPITAL, "試験薬局", FacilityKind.PHARMACY)

    async def story(services: Services) -> None:
        with pytest.raises(FacilityMalformed):
            await list_facilities(services, OPERATOR, [sound, wrong])
        for caller in (DOCTOR, CLINIC_SYSTEM):
            with pytest.raises(NotPermitted):
                await list_facilities(services, caller, [sound])
            with pytest.raises(NotPermitted):
                await close_facility(services, caller, CLINIC, None)
        with pytest.raises(NothingToClose):
            await close_facility(services, OPERATOR, CLINIC, None)

    run(story)

    assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)


def test_a_facility_that_somebody_else_changed_meanwhile_is_decided_anew(
    run: Run, connection: Connection[Any]
) -> None:
    first = Facility(CLINIC, "試験診療所", FacilityKind.CLINIC)
    second = replace(first, name="新試験診療所")

    async def story(services: Services) -> int:
        def theirs() -> None:
            run(lambda others: list_facilities(others, OPERATOR, [first]))

        return await list_facilities(interrupted(services, theirs), OPERATOR, [second])

    assert run(story) == 1
    catch_up(connection)

    (row,) = live_rows(connection, facilities.NAME, FacilityRow)
    assert row.name == "新試験診療所"
    assert connection.execute("SELECT count(*) FROM event").fetchone() == (2,)
