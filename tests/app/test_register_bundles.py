"""Many Bundles at once come to the same as one by one: told, stored and kept, whoever else registers meanwhile."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from bundle_histories import Sent, Told, canonical, outcomes
from examples import CLINIC, CLINIC_SYSTEM, DOCTOR, HOSPITAL, OPERATOR
from log_examples import Run, copied_database, everything, interrupted
from tsuzuri.app.actions.known_bundles import InForce
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.register_bundles import register_bundles
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.registrations import RegisteredBundle

HANAKO, TARO, FAMILY = "00012345:あ:1:01", "00054321:い:9:", "00012345:あ:1:02"
Register = Callable[[Services, Sequence[Sent]], Awaitable[list[Told]]]
_databases = itertools.count(1)


async def one_by_one(opened: Services, sent: Sequence[Sent]) -> list[Told]:
    told: list[Told] = []
    for one in sent:
        try:
            told.append(await register_bundle(opened, OPERATOR, one.body(), on_behalf=True))
        except BundleRejected as refused:
            told.append(refused)
    return told


async def at_once(opened: Services, sent: Sequence[Sent]) -> list[Told]:
    told = await register_bundles(opened, OPERATOR, [one.body() for one in sent], on_behalf=True)
    return [one for one in told if not isinstance(one, InForce)]


@pytest.fixture
def came_to(server_dsn: str, template: str, settings: Settings) -> Callable[[Register, Sequence[Sent]], Any]:
    """What Bundles come to in a database of their own: what is told, and what is kept."""

    def in_its_own(register: Register, sent: Sequence[Sent]) -> Any:
        async def run(dsn: str) -> list[Told]:
            async with services(settings, dsn) as opened:
                return await register(opened, sent)

        name = f"bundles_{os.getpid()}_{next(_databases)}"
        with copied_database(server_dsn, template, name) as dsn, Connection.connect(dsn) as connection:
            told = asyncio.run(run(dsn))
            return outcomes(told), canonical(connection, told)

    return in_its_own


# --- nobody else registers


HISTORIES: dict[str, list[Sent]] = {
    "nothing": [],
    "one patient several times": [Sent(local_id=f"set-{n}") for n in range(5)],
    "versions, late and twice": [Sent(version=n) for n in (0, 1, 0, 1, 2, 2, 1)],
    "the same bytes twice": [Sent(), Sent()],
    "marks that hide": [Sent(), Sent(local_id="set-2", marked=True), Sent(local_id="set-3")],
    "a new name": [Sent(), Sent(local_id="set-2", name="試験 華子"), Sent(local_id="set-3")],
    "an unknown number shared by two facilities": [
        Sent(facility=CLINIC),
        Sent(facility=HOSPITAL, local="P-7"),
        Sent(facility=HOSPITAL, local="P-7", number=None, local_id="set-2"),
    ],
    "a number that is known locally first": [
        Sent(number=None),
        Sent(local_id="set-2"),
        Sent(number=None, version=1),
    ],
    "disputed numbers": [
        Sent(),
        Sent(number=FAMILY, local_id="set-2"),  # a second insured number does not follow a known local one
        Sent(number=TARO, local="P-2", local_id="set-3"),
        Sent(number=TARO, local="P-1", local_id="set-4"),
        Sent(number=None, local="P-1", local_id="set-5"),
        Sent(number=FAMILY, local="P-2", local_id="set-6"),
    ],
    "rejected ones in between": [
        Sent(damaged=True),
        Sent(),
        Sent(version=1, damaged=True),
        Sent(number="123", local_id="set-2"),
        Sent(version=1),
        Sent(number=TARO, local="P-2", local_id="set-2", damaged=True),
    ],
    "many patients": [
        Sent(f"000{n % 40:05}:::", f"P-{n % 40}", local_id=f"set-{n % 2}", version=n % 7) for n in range(120)
    ],
}


@pytest.mark.parametrize("sent", HISTORIES.values(), ids=HISTORIES)
def test_many_at_once_come_to_the_same_as_one_by_one(came_to: Any, sent: list[Sent]) -> None:
    assert came_to(at_once, sent) == came_to(one_by_one, sent)


bundles = st.builds(
    Sent,
    number=st.sampled_from([HANAKO, HANAKO, TARO, FAMILY, None]),
    local=st.sampled_from(["P-1", "P-2"]),
    facility=st.sampled_from([CLINIC, HOSPITAL]),
    local_id=st.sampled_from(["a", "b"]),
    name=st.sampled_from(["試験 花子", "試験 太郎"]),
    version=st.integers(0, 2),
    marked=st.booleans(),
    damaged=st.sampled_from([False] * 9 + [True]),
)


def test_any_bundles_in_any_portions_come_to_the_same_as_one_by_one(came_to: Any) -> None:
    @hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(sent=st.lists(bundles, min_size=2, max_size=14), portion=st.integers(1, 14))
    def any_bundles(sent: list[Sent], portion: int) -> None:
        async def in_portions(opened: Services, sent: Sequence[Sent]) -> list[Told]:
            portions = [sent[at : at + portion] for at in range(0, len(sent), portion)]
            return [told for some in portions for told in await at_once(opened, some)]

        assert came_to(in_portions, sent) == came_to(one_by_one, sent)

    any_bundles()


def test_there_are_more_bundles_than_transactions_and_sending_all_again_changes_nothing(
    run: Run, connection: Connection[Any]
) -> None:
    sent = HISTORIES["many patients"]

    async def story(opened: Services) -> None:
        first = await at_once(opened, sent)
        (commits,) = connection.execute("SELECT count(DISTINCT xmin::text) FROM event").fetchall()
        before = everything(connection)
        again = await at_once(opened, sent)

        assert 1 <= commits[0] < 60
        assert {one.outcome for one in again if isinstance(one, RegisteredBundle)} == {
            "UNCHANGED",
            "SUPERSEDED",
        }
        assert [vars(one)["patient"] for one in first] == [vars(one)["patient"] for one in again]
        assert everything(connection) == before

    run(story)


def test_a_facility_registers_its_own_bundles_only_and_nobody_else_any(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(opened: Services) -> None:
        bodies = [Sent(facility=facility).body() for facility in (HOSPITAL, CLINIC, HOSPITAL)]
        told = await register_bundles(opened, CLINIC_SYSTEM, bodies)
        assert [type(one) for one in told] == [NotPermitted, RegisteredBundle, NotPermitted]
        before = everything(connection)
        for caller in (DOCTOR, OPERATOR):
            with pytest.raises(NotPermitted):
                await register_bundles(opened, caller, bodies)
        assert everything(connection) == before

    run(story)


# --- somebody else registers between the decision and the append

OURS = [
    Sent(),
    Sent(version=1),
    Sent(number=TARO, local="P-2"),
    Sent(local_id="set-2"),
    Sent(facility=HOSPITAL, local="P-9"),
    Sent(version=1),
]
THEIRS = {
    "the same new patient": [Sent(facility=HOSPITAL, local="P-5", local_id="theirs")],
    "another of the new patients": [Sent(number=TARO, local="P-2", local_id="theirs")],
    "the very same Bundle": [Sent()],
    "a later version": [Sent(version=2)],
    "her local number for somebody else": [Sent(number=FAMILY, local="P-2", local_id="theirs")],
    "somebody else altogether": [Sent(number=FAMILY, local="P-77", local_id="theirs")],
}


@pytest.mark.parametrize("before", [[], [Sent(local_id="before")]], ids=["a new patient", "a known patient"])
@pytest.mark.parametrize("theirs", THEIRS.values(), ids=THEIRS)
def test_a_batch_that_somebody_else_came_before_ends_as_if_it_had_come_after(
    came_to: Any, settings: Settings, before: list[Sent], theirs: list[Sent]
) -> None:
    async def beaten(opened: Services, sent: Sequence[Sent]) -> list[Told]:
        first, elsewhere = await one_by_one(opened, before), list[Told]()

        def register_theirs() -> None:
            async def inside() -> None:
                async with services(settings, opened.logins.address) as other:
                    elsewhere.extend(await one_by_one(other, theirs))

            asyncio.run(inside())

        told = await at_once(interrupted(opened, register_theirs), OURS)
        return [*first, *elsewhere, *told]

    assert came_to(beaten, sent := [*before, *theirs, *OURS]) == came_to(one_by_one, sent)


def test_of_two_who_bring_in_the_same_bundles_at_once_each_is_registered_by_one(run: Run) -> None:
    sent = [Sent(f"000{n % 25:05}:::", f"P-{n % 25}", local_id=f"set-{n}") for n in range(75)]

    async def story(opened: Services) -> None:
        both = await asyncio.gather(
            at_once(opened, sent), asyncio.to_thread(run, lambda other: at_once(other, sent))
        )

        for one, other in zip(*both, strict=True):
            assert isinstance(one, RegisteredBundle) and isinstance(other, RegisteredBundle)
            assert {one.outcome, other.outcome} == {"REGISTERED", "UNCHANGED"}
            assert (one.patient, one.document) == (other.patient, other.document)
        assert len({one.patient for one in both[0] if isinstance(one, RegisteredBundle)}) == 25

    run(story)
