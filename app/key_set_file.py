"""The issuer's keys in a file, which an operator replaces: looked at like those that an issuer publishes."""

import asyncio
import time
from collections.abc import Callable, Set
from pathlib import Path

from tsuzuri.app.issuer_keys import IssuerKeys, KeysNotFetched, Pace, aside
from tsuzuri.app.settings import SettingsWrong, read_secret
from tsuzuri.app.token_keys import KeysMalformed, PublicKeys, read_key_set

SETTING = "TSUZURI_JWKS_FILE"
FILES_PACE = Pace(10.0, 2.0)
READ_SECONDS_MAX = 5.0  # it may lie on a disk that is not of this machine


class KeySetFile:
    """Reads one file. *never*: thumbprints (RFC 7638) that do not count, even when they are in it."""

    def __init__(self, file: Path, never: Set[str]) -> None:
        self._file, self._never = file, never
        self._reading: asyncio.Task[PublicKeys] | None = None

    def read(self) -> PublicKeys:
        """Raises SettingsWrong, which names the setting."""
        try:
            return read_key_set(read_secret(self._file, SETTING), never=self._never)
        except KeysMalformed as error:
            raise SettingsWrong(f"{SETTING}: the file is not a JSON Web Key Set ({error})") from None

    async def fetch(self) -> PublicKeys:
        """Raises KeysNotFetched."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(aside(self.read))
        try:
            async with asyncio.timeout(READ_SECONDS_MAX):
                return await asyncio.shield(self._reading)  # no second thread hangs with it
        except SettingsWrong as error:
            raise KeysNotFetched(str(error)) from None
        except TimeoutError:
            raise KeysNotFetched(f"{SETTING}: the file is still being read") from None


def keys_of_file(file: Path, *, never: Set[str], now: Callable[[], float] = time.monotonic) -> IssuerKeys:
    """They must be there at the start. From then on those that could be read last count, until there are others.

    Raises SettingsWrong.
    """
    return followed(KeySetFile(file, never), now)


def followed(source: KeySetFile, now: Callable[[], float]) -> IssuerKeys:
    """Raises SettingsWrong."""
    return IssuerKeys(source.fetch, float("inf"), now, pace=FILES_PACE, held=source.read())
