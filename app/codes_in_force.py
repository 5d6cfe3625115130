"""The name of the code release in force, for what is stored now. Looked up at most every few seconds."""

import asyncio
import time

from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.projections.releases import Releases

LOOK_SECONDS = 10.0


class CodesInForce:
    """A release taken up counts for Bundles that come in `LOOK_SECONDS` later, in every process."""

    def __init__(self, logins: Logins, releases: Releases) -> None:
        self._logins = logins
        self._releases = releases
        self._name = ""
        self._looked_at = -LOOK_SECONDS

    async def name(self) -> str:
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = (
                time.monotonic()
            )  # who comes meanwhile gets the name of before, unless there is none
            self._name = await asyncio.to_thread(self._look)
        return self._name or await asyncio.to_thread(self._look)

    def _look(self) -> str:
        with self._logins.connect(LogRole.READER) as connection:
            return self._releases.in_force(connection)
