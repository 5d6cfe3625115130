"""A watch begins as a read does: decided, and in the trail, before anything is told. What is told later cites it."""

from collections.abc import Awaitable, Callable

from tsuzuri.app.actions.settle_readings import settle_readings
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.eventlog.appending import LogUnavailable, NarrowedMeanwhile
from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.readings import Operation, Reading, Readings, RefusedReading

ATTEMPTS = 10
LOG_UNAVAILABLE = ("LOG_UNAVAILABLE", "that you watch could not be recorded, so nothing is told: try again")
CHANGED_MEANWHILE = ("CHANGED_MEANWHILE", "the record was being changed while it was asked for: try again")

Decide = Callable[[], Awaitable[Reading | RefusedReading]]


class Recording:
    """Records what one who watches is told, each thing before it is told."""

    def __init__(self, services: Services, caller: Caller, operation: Operation, schema_sha256: str) -> None:
        self._services = services
        self._caller = caller
        self._operation = operation
        self._schema_sha256 = schema_sha256

    async def begin(self, decide: Decide) -> Reading | RefusedReading:
        """Decided and recorded: again, when something that narrows came in between. Raises RequestRefused."""
        for _ in range(ATTEMPTS):
            decided = await decide()
            if await self.recorded(decided):
                if isinstance(decided, Reading) and decided.problem is not None:
                    raise RequestRefused(*decided.problem)
                return decided
        raise RequestRefused(*CHANGED_MEANWHILE)

    async def recorded(self, decided: Reading | RefusedReading) -> bool:
        """False: something that narrows came in between, so it is not to be told. Raises RequestRefused."""
        permitted, refused = ([decided], []) if isinstance(decided, Reading) else ([], [decided])
        readings = Readings(permitted=permitted, refused=refused)
        try:
            await settle_readings(
                self._services, self._caller, readings, self._operation, None, self._schema_sha256
            )
        except NarrowedMeanwhile:
            return False
        except LogUnavailable:
            raise RequestRefused(*LOG_UNAVAILABLE) from None
        return True
