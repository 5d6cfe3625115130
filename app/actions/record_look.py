"""A look at the trail that somebody takes at the machine: in the trail itself before anything is shown."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from tsuzuri.app.actions.settle_readings import settle_readings
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.readings import Operation, Readings, TrailReading


async def record_look(
    services: Services,
    caller: Caller,
    command: str,
    patient: UUID | None,
    asked: Mapping[str, Any],
    *,
    shown: int,
) -> None:
    """Durable when it returns. *asked*: what was given to the command; None is left out.

    Raises tsuzuri.eventlog.appending.LogUnavailable: nothing may be shown.
    """
    look = TrailReading(access_id=services.new_id(), patient=patient, shown=shown)
    variables = {name: str(value) for name, value in asked.items() if value is not None}
    operation = Operation(
        sha256=sha256(command.encode()).hexdigest(), name=command, variables=json.dumps(variables)
    )
    await settle_readings(services, caller, Readings(trail=[look]), operation, None, "")
