"""What is registered, planned and erased in tests of retention, and what is left of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection

from examples import CLINIC_SYSTEM, NUMBER, OPERATOR, a_bundle
from fhir_examples import (
    CORE_LABO,
    INSURED_SYSTEM,
    Json,
    a_collection,
    a_document,
    a_patient,
    a_resource,
    coded,
    quantity,
)
from projection_examples import SENDER, catch_up, current_by_index, current_by_summary, live_rows, rebuilt
from tsuzuri.app.actions.erase_expired import Account, plan_retention, run_retention
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.expiry import Expired
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.record_rows import DocumentRow, EntryRow

HBA1C, SODIUM = "3D0460000001906202", "3H0100000023271701"
CENTURIES = datetime(2500, 1, 1, tzinfo=UTC)


def her() -> Json:
    return a_patient(identifier=[{"system": INSURED_SYSTEM, "value": NUMBER}])


def result(day: str, value: float, code: str = HBA1C, **changes: Any) -> Json:
    named, measured = coded(CORE_LABO, code, code), quantity(value, "%")
    return a_resource("Observation", code=named, valueQuantity=measured, effectiveDateTime=day, **changes)


async def report(
    services: Services, *results: Json, local_id: str = "lab", by: Caller = CLINIC_SYSTEM
) -> RegisteredBundle:
    identifier = {"system": "urn:sample", "value": f"{by.facility}^2026^{local_id}"}
    bundle = a_collection(*results, patient=her(), identifier=identifier)
    return await register_bundle(services, by, orjson.dumps(bundle))


async def summary(services: Services, *entries: Json, code: str = "18842-5") -> RegisteredBundle:
    """A discharge summary, or a document of another code, that carries these."""
    bundle = a_document(*entries, code=code)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"] = her()
    return await register_bundle(services, SENDER, orjson.dumps(bundle), on_behalf=True)


async def diagnoses(services: Services, **changes: Any) -> RegisteredBundle:
    return await register_bundle(services, CLINIC_SYSTEM, a_bundle(**changes))


@dataclass
class Told:
    """What a plan or a run tells of, and its account."""

    account: Account
    found: list[tuple[UUID, Expired]] = field(default_factory=list)

    @property
    def documents(self) -> list[UUID]:
        return [one.document for _, one in self.found]


async def planned(services: Services, at: datetime, limit: int = 100) -> Told:
    found: list[tuple[UUID, Expired]] = []
    account = await plan_retention(services, OPERATOR, at, limit=limit, tell=lambda *one: found.append(one))
    return Told(account, found)


async def erased(services: Services, at: datetime, limit: int = 100) -> Told:
    found: list[tuple[UUID, Expired]] = []
    account = await run_retention(services, OPERATOR, at, limit=limit, tell=lambda *one: found.append(one))
    return Told(account, found)


def end_of(connection: Connection[Any], kind: type[DocumentRow] | type[EntryRow] = EntryRow) -> datetime:
    """When the last row is seen no more; the index is brought to the log's head."""
    catch_up(connection)
    ends = [row.visible_until for row in live_rows(connection, "record_index", kind) if row.visible_until]
    return max(ends)


def names(connection: Connection[Any]) -> list[str]:
    catch_up(connection)
    return sorted(row.name for row in live_rows(connection, "record_index", EntryRow))


def the_same_from_zero(connection: Connection[Any]) -> None:
    catch_up(connection)
    for one in PROJECTIONS.values():
        assert rebuilt(connection, one, batch_events=2).equal, one.name
    assert current_by_summary(connection) == current_by_index(connection)
