"""Who asks random documents, about whom, and the values that mean something to them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from strawberry.types import get_object_definition

from emergency_examples import ADMIN, TOWN
from examples import AUDITOR, CLINIC, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR, herself
from torture.document_coverage import Told
from torture.random_values import Samples
from torture.read_world import (
    AOBADAI_DOCTOR,
    CLINIC_ADMIN,
    CLINIC_DOCTOR,
    DAUGHTER,
    PHARMACIST,
    STRANGER,
    Inhabited,
)
from tsuzuri.app.sample.places import AOBADAI
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.queries import Query
from world import SCHEMA

KEPT_MAX = 12  # values of earlier answers, by what they are for
PAGES = (1, 1, 2, 2, 3, 3, 4, 5, 5, 7, 10, 10, 20, 50) * 36 + (100, 200, 0, 1000, -1)
TIMES = (
    *("2020-01-01T00:00:00Z", "1990-01-01T00:00:00+09:00", "2025-06-01T00:00:00+09:00") * 30,
    *("2026-10-01T12:30:00.5Z", "2030-01-01T00:00:00-05:00", "2090-01-01T00:00:00Z") * 30,
    "2026-01-01T00:00:00",
)
NOBODY = "00000000-0000-4000-8000-00000000000f"
FACILITIES = (*(HOSPITAL, CLINIC, AOBADAI.number, "1315555555") * 12, "9999999999")
CODES = ("HBA1C", "3D046000001906202", "20065011", "3D010000001926101", "none")
RARELY_BROKEN = (*[None] * 90, "none")
COMMON: Mapping[str, Sequence[Any]] = {
    "first": PAGES,
    "last": PAGES,
    "after": RARELY_BROKEN,
    "before": RARELY_BROKEN,
    "facility": FACILITIES,
    "facilities": FACILITIES,
    "number": FACILITIES,
    "municipality": (*(TOWN, "14991") * 12, "00000"),
    "text": ("病院", "診療", "none"),
    "codes": CODES,
    "person": (DOCTOR.person, PHARMACIST.person, "nobody"),
    "outcome": ("PERMITTED", "REFUSED", "TRAIL_READ", "none"),
    "name": (*["record_index", "access_reviews", "referrals"] * 20, "none"),
    "Query.projectionCheck(name)": (*["facilities"] * 20, "record_index", "none"),
    "kana": ("シケン ハナコ", "シケン"),
    "birthDate": (*["1970-01-02"] * 9, "none"),
    "sex": ("female",),
    "insurerNumber": ("00012345",),
    "postalCode": ("229-9901",),
    "PatientKey.publicAssistance": ("12345678::1234567:",),
    "LocalNumber.number": ("P-1", "P-2"),
    "minPosition": RARELY_BROKEN,
    "Me.preview(change)": (*["GRANT", "DENY"] * 6, "WITHDRAW"),
    "position": ("none",),
    "DateTime": TIMES,
    "Boolean": (True, False),
    "ID": (*[NOBODY] * 60, "none"),
    "String": ("none", ""),
    "Int": (1, 2, 3),
}
FOR: Mapping[str, Sequence[str]] = {
    "Standing.position": ("AsOf.position", "Query.patientRecord(minPosition)"),
    "Document.id": ("PatientRecord.document(id)",),
    "Entry.documentId": ("PatientRecord.document(id)",),
    "Access.id": ("Query.access(id)",),
    "OwnAccess.id": ("Query.access(id)",),
    "Coding.code": ("EntryFilter.codes", "PatientRecord.labSeries(codes)"),
    "Facility.name": ("FacilityFilter.text",),
}
"""What later documents ask for with a value of an earlier answer. A cursor goes where its page came from."""
CURSORS = ("cursor", "startCursor", "endCursor")


@dataclass(frozen=True)
class Asker:
    """One caller, mostly about one patient."""

    name: str
    patient: UUID
    caller: Caller
    roots: Sequence[str]
    samples: Samples
    gathered: dict[str, list[Any]]  # the first table of the samples

    def gather(self, told: Told) -> None:
        """Keep a value of an answer for later documents."""
        field = told.coordinate.partition(".")[2]
        keys = FOR.get(told.coordinate, ())
        if field in CURSORS and told.page_of:
            keys = (f"{told.page_of}(after)", f"{told.page_of}(before)")
        for key in keys if isinstance(told.value, str) else ():
            kept = self.gathered.setdefault(key, [])
            if told.value not in kept and len(kept) < KEPT_MAX:
                kept.append(told.value)


def askers(found: Inhabited) -> list[Asker]:
    return [_asker(found, caller, name) for caller, name in _who_asks(found)]


def _who_asks(found: Inhabited) -> Iterator[tuple[Caller, str]]:
    for name in ("sample 0", "sample 1", "sample 2", "sample 3", "sample 11", "sample 17", "mixed"):
        yield DOCTOR, name
        yield herself(found.patients[name]), name
    for name in ("sample 0", "mixed", "nobody"):
        yield CLINIC_DOCTOR, name
        yield PHARMACIST, name
    yield AOBADAI_DOCTOR, "sample 0"
    yield AOBADAI_DOCTOR, "sample 11"
    yield DAUGHTER, "sample 0"
    yield STRANGER, "sample 1"
    yield HOSPITAL_SYSTEM, "mixed"
    for caller in (ADMIN, CLINIC_ADMIN, AUDITOR, AUDITOR, AUDITOR, AUDITOR, OPERATOR, OPERATOR):
        yield caller, "mixed"


def _asker(found: Inhabited, caller: Caller, name: str) -> Asker:
    hers = str(found.patients[name])
    others = [str(one) for one in found.patients.values()]
    moments = [(found.at + timedelta(days=days)).isoformat() for days in (*[-1, 0, 0, 0] * 8, 1)]
    about: dict[str, Sequence[Any]] = {
        "PatientKey.id": (*[hers] * 90, others[0], NOBODY, "none"),
        "PatientKey.insuredPerson": (
            *[found.numbers.get(name, "00012345:覆:1:01")] * 90,
            "00012345:覆:1:01",
            "1",
        ),
        "patient": (*[hers] * 6, *others, NOBODY),
        "Query.accessAt(at)": moments,
        "AsOf.at": moments,
        "purpose": _purposes(caller.role),
        "PatientRecord.document(id)": (
            *(str(one) for one in found.documents.get(name, ())),
            str(found.documents["mixed"][0]),
        ),
    }
    gathered: dict[str, list[Any]] = {}
    return Asker(
        f"{caller.person}, {name}",
        found.patients[name],
        caller,
        roots(caller.role),
        Samples(gathered, about, COMMON),
        gathered,
    )


def _purposes(role: Role) -> Sequence[str]:
    if role is Role.PATIENT:
        return ("PATRQT",) * 8 + ("FAMRQT", "TREAT")
    return ("TREAT",) * 8 + ("BTG", "BTG", "ETREAT", "DISASTER", "HPAYMT")


@cache
def roots(role: Role) -> tuple[str, ...]:
    """The root fields that a role may use, as the schema names them."""
    names = SCHEMA.config.name_converter
    return tuple(
        names.get_graphql_name(field)
        for field in get_object_definition(Query, strict=True).fields
        if all(role in getattr(one, "roles", ()) for one in field.permission_classes)
    )
