"""That somebody looked at the trail from the command line: durable before anything is shown."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from tsuzuri.app.actions.settle_readings import settle_readings
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.services import Services
from tsuzuri.graphql.readings import Operation, Readings, TrailReading


async def record_look(
    opened: Services, command: str, patient: UUID | None, asked: Mapping[str, Any], *, shown: int
) -> None:
    """*asked*: what was given to the command, by name. Raises tsuzuri.eventlog.appending.LogUnavailable."""
    look = TrailReading(access_id=opened.new_id(), patient=patient, shown=shown)
    variables = {name: str(value) for name, value in asked.items() if value is not None}
    operation = Operation(
        sha256=sha256(command.encode()).hexdigest(), name=command, variables=json.dumps(variables)
    )
    await settle_readings(opened, operator_here(), Readings(trail=[look]), operation, None, "")
