"""A number belongs to one patient, whoever registers it at the same moment."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, a_bundle
from log_examples import (
    Run,
    an_owner,
    begin_append,
    everything,
    listed,
    opened_log,
    save,
    wait_until_somebody_waits,
)
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.eventlog.appending import Beside, Claim, ClaimedElsewhere
from tsuzuri.eventlog.places import Place

NUMBER = b"\x07" * 32
OTHER_NUMBER = b"\x08" * 32


def begin_first_registration(connection: Connection[Any], owner_number: int) -> None:
    """Append the first event of an owner with a claim on NUMBER, in the caller's open transaction."""
    owner = an_owner(owner_number)
    begin_append(connection, listed(owner), Beside(claims=[Claim(NUMBER, owner)]))


def test_who_claims_a_number_while_another_does_waits_and_loses(
    dsn: str, connection: Connection[Any]
) -> None:
    loser = an_owner(2)
    with opened_log(dsn) as log, ThreadPoolExecutor(1) as threads:
        with Connection.connect(dsn) as first:
            begin_first_registration(first, 1)  # in another part: only the number is shared
            claims = [Claim(OTHER_NUMBER, loser), Claim(NUMBER, loser)]
            second = threads.submit(save, log, listed(loser), beside=Beside(claims=claims))
            wait_until_somebody_waits(connection)
            first.commit()
        won = everything(connection)

        with pytest.raises(ClaimedElsewhere):
            second.result(20)

    assert connection.execute("SELECT digest, patient_id FROM identifier").fetchall() == [
        (NUMBER, an_owner(1))
    ]
    assert everything(connection) == won


def test_who_waits_for_a_claim_that_is_given_up_has_the_number(dsn: str, connection: Connection[Any]) -> None:
    with opened_log(dsn) as log, ThreadPoolExecutor(1) as threads:
        with Connection.connect(dsn) as first:
            begin_first_registration(first, 1)
            second = threads.submit(
                save, log, listed(an_owner(2)), beside=Beside(claims=[Claim(NUMBER, an_owner(2))])
            )
            wait_until_somebody_waits(connection)
            first.rollback()

        assert second.result(20) == [Place(2, 1)]
    assert connection.execute("SELECT patient_id FROM identifier").fetchall() == [(an_owner(2),)]


def test_a_claim_of_ones_own_number_may_be_repeated(dsn: str) -> None:
    owner = an_owner(1)
    with opened_log(dsn) as log:
        save(log, listed(owner, 1), beside=Beside(claims=[Claim(NUMBER, owner)]))

        assert save(log, listed(owner, 2), beside=Beside(claims=[Claim(NUMBER, owner)])) == [Place(1, 2)]


def test_two_facilities_that_name_a_new_patient_at_once_name_one_patient(run: Run) -> None:
    async def both_register(services: Services) -> set[UUID]:
        patients = set()
        for place in range(8):
            number = f"0000000{place}:あ:1:01"
            clinic, hospital = await asyncio.gather(
                register_bundle(services, CLINIC_SYSTEM, a_bundle(facility=CLINIC, number=number)),
                register_bundle(services, HOSPITAL_SYSTEM, a_bundle(facility=HOSPITAL, number=number)),
            )
            assert clinic.patient == hospital.patient
            patients.add(clinic.patient)
        return patients

    assert len(run(both_register)) == 8
