"""What random histories are made of: Bundles sent and taken back, and projections that catch up meanwhile."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from psycopg import Connection

from examples import CLINIC, HOSPITAL, a_bundle, a_caller
from log_examples import copied_database
from projection_examples import (
    BUNDLE_SYSTEM,
    bundle_value,
    current_by_index,
    current_by_summary,
    rebuilt,
)
from tsuzuri.app.actions.correct_bundle import cancel_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import DocumentKind, Role
from tsuzuri.projections.catalogue import PROJECTIONS

CONDITIONS = {"20065011": "上腹部痛", "20054092": "発熱", "20051881": "咳"}
KIND = DocumentKind.CONDITIONS
_databases = itertools.count(1)


@dataclass(frozen=True)
class Bundle:
    """Where a Bundle lies: whose, whose sender, which."""

    number: str
    facility: str
    local_id: str

    @property
    def key(self) -> InsuredPersonNumber:
        return InsuredPersonNumber.parse(self.number)

    @property
    def sender(self) -> Caller:
        return a_system(self.facility)

    @property
    def value(self) -> str:
        return bundle_value(self.local_id, self.facility)


@dataclass(frozen=True)
class Register:
    bundle: Bundle
    codes: frozenset[str]
    marked: frozenset[str]
    minute: int = 0  # of Bundle.timestamp

    def body(self) -> bytes:
        return a_bundle(
            facility=self.bundle.facility,
            local_id=self.bundle.local_id,
            number=self.bundle.number,
            timestamp=f"2026-11-20T10:{self.minute:02}:00+09:00",
            conditions={code: CONDITIONS[code] for code in sorted(self.codes)},
            flags={code: "UNINFORMED" for code in sorted(self.marked)},
        )


@dataclass(frozen=True)
class Cancel:
    bundle: Bundle

    async def take(self, opened: Services) -> None:
        """Raises NothingToCancel."""
        bundle = self.bundle
        await cancel_bundle(opened, bundle.sender, bundle.key, BUNDLE_SYSTEM, bundle.value, KIND, "")


@dataclass(frozen=True)
class CatchUp:
    batch_events: int


numbers = st.sampled_from(("00012345:あ:1:01", "00012345:あ:1:02", "00054321:い:9:"))
facilities = st.sampled_from((CLINIC, HOSPITAL))
bundles = st.builds(Bundle, numbers, facilities, st.sampled_from("ab"))
some_codes = st.frozensets(st.sampled_from(list(CONDITIONS)), min_size=1)
some_marks = st.frozensets(st.sampled_from(list(CONDITIONS)))
registers = st.builds(Register, bundles, some_codes, some_marks, st.integers(0, 3))
cancels = st.builds(Cancel, bundles)
catch_ups = st.builds(CatchUp, st.integers(1, 5))


def a_system(facility: str) -> Caller:
    return a_caller(person="system", role=Role.SYSTEM, facility=facility)


@contextmanager
def database_of_a_history(server_dsn: str, template: str) -> Iterator[tuple[str, Connection[Any]]]:
    """An empty one, which is gone when the history has ended."""
    name = f"history_{os.getpid()}_{next(_databases)}"
    with (
        copied_database(server_dsn, template, name) as dsn,
        Connection.connect(dsn, autocommit=True) as connection,
    ):
        yield dsn, connection


def see_that_rebuilt_rows_are_equal(connection: Connection[Any]) -> None:
    """All projections have to be at the log's head."""
    assert current_by_summary(connection) == current_by_index(connection)
    for one in PROJECTIONS.values():
        assert rebuilt(connection, one, batch_events=3).equal, one.name
