"""Kind, municipality, departments and emergency right of each facility, from the operator's events."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tsuzuri.domain.events import Event, FacilityClosed, FacilityListed
from tsuzuri.domain.facilities import sought
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "facilities", 3

TABLES = """
CREATE TABLE facility (
    owner_id uuid NOT NULL, facility text NOT NULL, name text NOT NULL, kind text NOT NULL,
    municipality text, municipality_name text, departments text[] NOT NULL,
    department_codes text[] NOT NULL, emergency boolean NOT NULL, listed_at timestamptz NOT NULL,
    closed_at timestamptz, sought text NOT NULL
);
"""

INDEXES = """
ALTER TABLE facility ADD PRIMARY KEY (owner_id);
ALTER TABLE facility ADD UNIQUE (facility);
-- A part of a name is found by its trigrams, where the database has them (migration trigrams); else all names are read.
DO $$
DECLARE
    its_schema name := (SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pg_trgm');
BEGIN
    IF its_schema IS NOT NULL THEN
        EXECUTE format('CREATE INDEX facility_sought ON facility USING gin (sought %I.gin_trgm_ops)', its_schema);
    END IF;
END $$;
"""


class FacilityRow(Row, frozen=True, kw_only=True):
    TABLE, KEY, OWNER = "facility", ("owner_id",), "owner_id"

    owner_id: UUID
    facility: str
    name: str
    kind: str
    municipality: str | None
    municipality_name: str | None
    departments: list[str]
    department_codes: list[str]  # in the order of departments, empty where none is given; or none at all
    emergency: bool
    listed_at: datetime
    closed_at: datetime | None
    sought: str  # the name and the number, as they are looked for


ROWS: tuple[type[Row], ...] = (FacilityRow,)
EVENTS: tuple[type[Event], ...] = (FacilityListed, FacilityClosed)


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    return [look(FacilityRow)] if isinstance(event, FacilityClosed) else []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the row of its facility. Sees nothing else."""
    match recorded.event:
        case FacilityListed() as event:
            rows.put(
                FacilityRow(
                    owner_id=recorded.owner,
                    facility=event.facility,
                    name=event.name,
                    kind=event.kind,
                    municipality=event.municipality,
                    municipality_name=event.municipality_name,
                    departments=list(event.departments),
                    department_codes=list(event.department_codes),
                    emergency=event.emergency,
                    listed_at=recorded.recorded_at,
                    closed_at=None,
                    sought=sought(f"{event.name}\n{event.facility}"),
                )
            )
        case FacilityClosed():
            for row in rows.of(FacilityRow):  # the right ends with the facility
                rows.put(msgspec.structs.replace(row, emergency=False, closed_at=recorded.recorded_at))


VIEW = View(
    "facility",
    fields={
        "number": "facility",
        "name": "name",
        "kind": "kind",
        "municipality": "municipality",
        "municipalityName": "municipality_name",
        "departments": "departments",
        "departmentCodes": "department_codes",
        "emergency": "emergency",
        "closedAt": "closed_at",
    },
    order=("facility",),
)
