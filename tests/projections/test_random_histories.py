"""Any history gives the rows a rebuild gives, whenever and in whatever portions it was applied; and the right rows."""

import asyncio
import itertools
import os
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from examples import CLINIC, HOSPITAL, a_bundle
from log_examples import copied_database
from projection_examples import (
    BUNDLE_SYSTEM,
    bundle_value,
    catch_up,
    current_by_index,
    current_by_summary,
    live_rows,
    rebuilt,
)
from tsuzuri.app.actions.cancel_bundle import cancel_bundle
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.withdraw_consent import withdraw_consent
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import NothingToWithdraw
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.registrations import NothingToCancel
from tsuzuri.domain.vocabulary import DocumentKind, PurposeOfUse, RecordClass, Role
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.consent_register import ConsentRow
from tsuzuri.projections.record_rows import DocumentRow, EntryRow

CONDITIONS = {"20065011": "上腹部痛", "20054092": "発熱", "20051881": "咳"}
CLASSES = (RecordClass.CONDITION, RecordClass.LAB_RESULT, RecordClass.REFERRAL)
NUMBERS = ("00012345:あ:1:01", "00012345:あ:1:02", "00054321:い:9:")
_databases = itertools.count(1)


@dataclass(frozen=True)
class Register:
    number: str
    facility: str
    local_id: str
    codes: frozenset[str]
    marked: frozenset[str]

    def bundle(self) -> bytes:
        return a_bundle(
            facility=self.facility,
            local_id=self.local_id,
            number=self.number,
            conditions={code: CONDITIONS[code] for code in sorted(self.codes)},
            flags={code: "UNINFORMED" for code in sorted(self.marked)},
        )


@dataclass(frozen=True)
class Cancel:
    number: str
    facility: str
    local_id: str


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


@dataclass(frozen=True)
class CatchUp:
    batch_events: int


Step = Register | Cancel | Grant | Withdraw | CatchUp
numbers, places, local_ids = (
    st.sampled_from(NUMBERS),
    st.sampled_from((CLINIC, HOSPITAL)),
    st.sampled_from("ab"),
)
codes, classes = st.frozensets(st.sampled_from(list(CONDITIONS))), st.frozensets(st.sampled_from(CLASSES))
some_codes = st.frozensets(st.sampled_from(list(CONDITIONS)), min_size=1)
some_classes = st.frozensets(st.sampled_from(CLASSES), min_size=1)
registers = st.builds(Register, numbers, places, local_ids, some_codes, codes)
steps: st.SearchStrategy[Step] = st.one_of(
    registers,
    registers,
    st.builds(Cancel, numbers, places, local_ids),
    st.builds(Grant, numbers, places, some_classes),
    st.builds(Withdraw, numbers, places, classes),
    st.builds(CatchUp, st.integers(1, 5)),
)


@dataclass
class Versions:
    """What was sent under one key."""

    current: Register
    past: set[bytes] = field(default_factory=set)
    cancelled: bool = False
    hidden: frozenset[str] = frozenset()  # codes that were marked, here or in a later Bundle of the facility


@dataclass
class Expected:
    """What the steps so far should have come to, said as simply as can be."""

    sent: dict[tuple[str, str, str], Versions] = field(default_factory=dict)
    consents: set[tuple[str, str, RecordClass]] = field(default_factory=set)
    patients: dict[str, UUID] = field(default_factory=dict)

    def register(self, step: Register) -> str:
        key = (step.number, step.facility, step.local_id)
        known = self.sent.get(key)
        if known is None:
            self.accept(step, Versions(step))
            return "REGISTERED"
        current, body = known.current.bundle(), step.bundle()
        if body in known.past or (known.cancelled and body == current):
            return "SUPERSEDED"
        if body == current:
            return "UNCHANGED"
        self.accept(step, Versions(step, known.past | {current}))
        return "REGISTERED" if known.cancelled else "REPLACED"

    def accept(self, step: Register, versions: Versions) -> None:
        """A mark hides the same fact in all that the facility has sent."""
        self.sent[step.number, step.facility, step.local_id] = versions
        for (number, facility, _), others in self.sent.items():
            if (number, facility) == (step.number, step.facility):
                others.hidden |= step.marked & step.codes

    def may_cancel(self, step: Cancel) -> bool:
        known = self.sent.get((step.number, step.facility, step.local_id))
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
                self.patients[number],
                facility,
                bundle_value(local_id, facility),
                CONDITIONS[code],
                code in versions.hidden,
            )
            for (number, facility, local_id), versions in self.sent.items()
            if not versions.cancelled
            for code in versions.current.codes
        }


async def take(opened: Services, connection: Connection[Any], step: Step, expected: Expected) -> None:
    """Do one step through the real action, and see that it answers as expected."""
    if isinstance(step, CatchUp):
        catch_up(connection, batch_events=step.batch_events)
        return
    system = Caller(person="system", role=Role.SYSTEM, facility=step.facility)
    key = InsuredPersonNumber.parse(step.number)
    match step:
        case Register():
            answer = await register_bundle(opened, system, step.bundle())
            assert answer.outcome == expected.register(step)
            assert expected.patients.setdefault(step.number, answer.patient) == answer.patient
        case Cancel():
            value = bundle_value(step.local_id, step.facility)
            kind = DocumentKind.CONDITIONS
            if expected.may_cancel(step):
                await cancel_bundle(opened, system, key, BUNDLE_SYSTEM, value, kind, "")
            else:
                with pytest.raises(NothingToCancel):
                    await cancel_bundle(opened, system, key, BUNDLE_SYSTEM, value, kind, "")
        case Grant():
            listed, purpose = sorted(step.classes), PurposeOfUse.TREAT
            await grant_consent(opened, system, key, step.facility, listed, purpose, until=None)
            expected.grant(step)
        case Withdraw():
            if expected.may_withdraw(step):
                await withdraw_consent(opened, system, key, step.facility, sorted(step.classes))
            else:
                with pytest.raises(NothingToWithdraw):
                    await withdraw_consent(opened, system, key, step.facility, sorted(step.classes))


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
    assert not any(row.cancelled for row in in_force)
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
        with (
            copied_database(server_dsn, template, f"history_{os.getpid()}_{next(_databases)}") as dsn,
            Connection.connect(dsn, autocommit=True) as connection,
        ):
            expected = asyncio.run(live_through(settings, dsn, connection, history))
            catch_up(connection, batch_events=7)

            see_what_is_in_force(connection, expected)
            assert current_by_summary(connection) == current_by_index(connection)
            for one in PROJECTIONS.values():
                assert rebuilt(connection, one, batch_events=3).equal, one.name

    any_history()
