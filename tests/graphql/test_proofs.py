"""Auditors and patients ask for proofs; each is checked here as they would, with the public key alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from checkpoint_examples import KEY, maker_at
from examples import AUDITOR, DOCTOR, HOSPITAL_SYSTEM, herself
from tsuzuri.eventlog.proofs.bundles import AccessesProven, ConsistencyProven, EventProven, verify
from tsuzuri.eventlog.proofs.merkle import ProofFails
from world import CONSENT, Tell, World, record_id, tell_in

OWN = "{ me { accessesProof { file checkpoint coveredUntil accesses } } }"
ONE = "query($id: ID!) { access(id: $id) { proof { file coveredUntil } } }"
OF = "query($patient: ID!) { accessesProof(patient: $patient) { file accesses } }"
GOES_ON = "query($earlier: Int!) { consistencyProof(earlier: $earlier) { file checkpoint } }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def read_thrice(world: World) -> tuple[UUID, list[str]]:
    await world.register()
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    records = [await world.record(DOCTOR) for _ in range(3)]
    world.project()
    return record_id(records[0]), [record["accessId"] for record in records]


def test_the_patient_gets_all_accesses_to_her_record(tell: Tell, dsn: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        patient, accesses = await read_thrice(world)
        maker_at(dsn, tmp_path).make()

        answer = (await world.data(herself(patient), OWN))["me"]["accessesProof"]
        proven = verify(json.loads(answer["file"]), KEY.public)

        assert isinstance(proven, AccessesProven)
        assert [str(one.access.event_id) for one in proven.accesses] == accesses
        assert all(one.told is not None and "audit" not in one.told for one in proven.accesses)
        assert answer["accesses"] == 3
        assert answer["checkpoint"] == json.loads(answer["file"])["checkpoint"]
        assert '"keys"' not in answer["file"], "the auditor's section stays sealed"

        maker_at(dsn, tmp_path).make()
        again = (await world.data(herself(patient), OWN))["me"]["accessesProof"]
        assert again["accesses"] == 4, "her own look is an access too"

    tell(story)


def test_the_auditor_gets_one_with_its_contents_and_all(tell: Tell, dsn: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        patient, accesses = await read_thrice(world)
        maker_at(dsn, tmp_path).make()

        one = (await world.data(AUDITOR, ONE, id=accesses[1]))["access"]["proof"]
        proven = verify(json.loads(one["file"]), KEY.public)
        assert isinstance(proven, EventProven)
        assert str(proven.event.event_id) == accesses[1]
        assert proven.told is not None and proven.told["told"]["person"] == DOCTOR.person
        assert proven.audit is not None and proven.audit["audit"]["entries_shown"] >= 0

        every = (await world.data(AUDITOR, OF, patient=str(patient)))["accessesProof"]
        assert every["accesses"] == 3
        maker_at(dsn, tmp_path).make()
        goes_on = (await world.data(AUDITOR, GOES_ON, earlier=1))["consistencyProof"]
        assert isinstance(verify(json.loads(goes_on["file"]), KEY.public), ConsistencyProven)

    tell(story)


def test_what_no_checkpoint_covers_is_said_to_be_so(tell: Tell, dsn: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        _, accesses = await read_thrice(world)

        answer = await world.ask(AUDITOR, ONE, id=accesses[0])

        assert [error["extensions"]["code"] for error in answer["errors"]] == ["NOT_COVERED_YET"]

    tell(story)


def test_a_log_whose_rows_were_changed_gives_no_false_proof(
    tell: Tell, dsn: str, connection: Connection[Any], tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        patient, accesses = await read_thrice(world)
        maker_at(dsn, tmp_path).make()
        connection.execute(
            "UPDATE event SET recorded_at = recorded_at - interval '1 day' WHERE event_id = %s",
            (accesses[0],),
        )

        one = (await world.data(AUDITOR, ONE, id=accesses[0]))["access"]["proof"]
        every = (await world.data(herself(patient), OWN))["me"]["accessesProof"]

        for file in (one["file"], every["file"]):
            with pytest.raises(ProofFails):
                verify(json.loads(file), KEY.public)

    tell(story)
