"""Any history gives the rows a rebuild gives, whenever and in whatever portions it was applied; and the right rows."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from history_examples import (
    CONDITIONS,
    Bundle,
    Cancel,
    CatchUp,
    Register,
    a_system,
    cancels,
    catch_ups,
    database_of_a_history,
    facilities,
    numbers,
    registers,
    see_that_rebuilt_rows_are_equal,
)
from projection_examples import catch_up, live_rows
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.withdraw_consent import withdraw_consent
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.consents import NothingToWithdraw
from tsuzuri.domain.corrections import NothingToCancel
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass
from tsuzuri.projections.consent_register import ConsentRow
from tsuzuri.projections.record_rows import DocumentRow, EntryRow

CLASSES = (RecordClass.CONDITION, RecordClass.LAB_RESULT, RecordClass.REFERRAL)


@dataclass(frozen=True)
class Grant:
    number: str
    facility: str
    classes: frozenset[RecordClass]


@dataclass(frozen=True)
class Withdraw:
    number: str
    facility: str
    classes: frozenset[RecordClass]  # none means all


Step = Register | Cancel | Grant | Withdraw | CatchUp
some_classes = st.frozensets(st.sampled_from(CLASSES), min_size=1)
steps: st.SearchStrategy[Step] = st.one_of(
    registers,
    registers,
    cancels,
    st.builds(Grant, numbers, facilities, some_classes),
    st.builds(Withdraw, numbers, facilities, st.frozensets(st.sampled_from(CLASSES))),
    catch_ups,
)


@dataclass
class Versions:
    """What was sent under one key."""

    current: Register
    past: set[bytes] = field(default_factory=set)
    cancelled: bool = False


@dataclass
class Expected:
    """What the steps so far should have come to, said as simply as can be."""

    sent: dict[Bundle, Versions] = field(default_factory=dict)
    marks: set[tuple[Bundle, int, str]] = field(
        default_factory=set
    )  # which Bundle of which minute marked what
    consents: set[tuple[str, str, RecordClass]] = field(default_factory=set)
    patients: dict[str, UUID] = field(default_factory=dict)

    def register(self, step: Register) -> str:
        known = self.sent.get(step.bundle)
        if known is None:
            self.accept(step, Versions(step))
            return "REGISTERED"
        current, body = known.current.body(), step.body()
        if body in known.past or (known.cancelled and body == current):
            return "SUPERSEDED"
        if body == current:
            return "UNCHANGED"
        self.accept(step, Versions(step, known.past | {current}))
        return "REGISTERED" if known.cancelled else "REPLACED"

    def accept(self, step: Register, versions: Versions) -> None:
        self.sent[step.bundle] = versions
        self.marks |= {(step.bundle, step.minute, code) for code in step.marked & step.codes}

    def is_hidden(self, step: Register, code: str) -> bool:
        """Its own word counts; of the facility's other Bundles, a mark in one that is not older."""
        return code in step.marked or any(
            bundle != step.bundle
            and (bundle.number, bundle.facility) == (step.bundle.number, step.bundle.facility)
            and marked == code
            and minute >= step.minute
            for bundle, minute, marked in self.marks
        )

    def is_newest(self, step: Register) -> bool:
        """Diagnoses come in full sets: of the facility's, the newest that is not cancelled counts."""
        others = [
            one.current
            for one in self.sent.values()
            if not one.cancelled
            and (one.current.bundle.number, one.current.bundle.facility)
            == (step.bundle.number, step.bundle.facility)
        ]
        return step is max(others, key=lambda one: (one.minute, one.bundle.value))

    def may_cancel(self, step: Cancel) -> bool:
        known = self.sent.get(step.bundle)
        if known is not None:
            known.cancelled = True
        return known is not None

    def grant(self, step: Grant) -> None:
        """At the card reader the new consent takes the place of the one before."""
        self.may_withdraw(Withdraw(step.number, step.facility, frozenset()))
        self.consents |= {(step.number, step.facility, one) for one in step.classes}

    def may_withdraw(self, step: Withdraw) -> bool:
        ended = {
            one
            for one in self.consents
            if one[:2] == (step.number, step.facility) and (not step.classes or one[2] in step.classes)
        }
        self.consents -= ended
        return bool(ended)

    def entries(self) -> set[tuple[UUID, str, str, str, bool]]:
        """Patient, facility, identifier of the Bundle, name, and whether it is hidden, of all that is in force."""
        return {
            (
                self.patients[bundle.number],
                bundle.facility,
                bundle.value,
                CONDITIONS[code],
                self.is_hidden(versions.current, code),
            )
            for bundle, versions in self.sent.items()
            if not versions.cancelled and self.is_newest(versions.current)
            for code in versions.current.codes
        }


async def take(opened: Services, connection: Connection[Any], step: Step, expected: Expected) -> None:
    """Do one step through the real action, and see that it answers as expected."""
    if isinstance(step, CatchUp):
        catch_up(connection, batch_events=step.batch_events)
        return
    match step:
        case Register(bundle):
            answer = await register_bundle(opened, bundle.sender, step.body())
            assert answer.outcome == expected.register(step)
            assert expected.patients.setdefault(bundle.number, answer.patient) == answer.patient
        case Cancel():
            if expected.may_cancel(step):
                await step.take(opened)
            else:
                with pytest.raises(NothingToCancel):
                    await step.take(opened)
        case Grant(number, facility, classes):
            key, system, listed = InsuredPersonNumber.parse(number), a_system(facility), sorted(classes)
            await grant_consent(opened, system, key, facility, listed, PurposeOfUse.TREAT, until=None)
            expected.grant(step)
        case Withdraw(number, facility, classes):
            key, system, listed = InsuredPersonNumber.parse(number), a_system(facility), sorted(classes)
            if expected.may_withdraw(step):
                await withdraw_consent(opened, system, key, facility, listed)
            else:
                with pytest.raises(NothingToWithdraw):
                    await withdraw_consent(opened, system, key, facility, listed)


async def live_through(
    settings: Settings, dsn: str, connection: Connection[Any], history: list[Step]
) -> Expected:
    expected = Expected()
    async with services(settings, dsn) as opened:
        for step in history:
            await take(opened, connection, step, expected)
    return expected


def see_what_is_in_force(connection: Connection[Any], expected: Expected) -> None:
    documents = {row.document: row for row in live_rows(connection, "record_index", DocumentRow)}
    in_force = [row for row in live_rows(connection, "record_index", EntryRow) if row.to_pos is None]
    assert {
        (row.patient_id, row.facility, documents[row.document].value, row.name, bool(row.flags_now))
        for row in in_force
    } == expected.entries()
    assert len(in_force) == len(expected.entries())
    assert not any(row.cancelled_by for row in in_force)
    consents = [row for row in live_rows(connection, "consent_register", ConsentRow) if row.to_pos is None]
    assert sorted((row.facility, row.record_class) for row in consents) == sorted(
        (facility, str(record_class)) for _, facility, record_class in expected.consents
    )


def test_live_rows_equal_rebuilt_rows_whatever_happened(
    server_dsn: str, template: str, settings: Settings
) -> None:
    @hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(history=st.lists(steps, min_size=4, max_size=12))
    def any_history(history: list[Step]) -> None:
        with database_of_a_history(server_dsn, template) as (dsn, connection):
            expected = asyncio.run(live_through(settings, dsn, connection, history))
            catch_up(connection, batch_events=7)

            see_what_is_in_force(connection, expected)
            see_that_rebuilt_rows_are_equal(connection)

    any_history()
