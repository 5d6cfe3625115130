"""What is opened in the place of consents that nobody gave: who is asked for takes as long, known or not."""

import os
from uuid import UUID

from tsuzuri.eventlog.sealed_events import seal_consents, unseal_consents

_NOBODY = UUID(int=0)
_BYTES = 400  # what the consents of most patients weigh


class Decoy:
    """Sealed as a patient's consents are, and as heavy."""

    def __init__(self) -> None:
        self._secret = os.urandom(32)
        self._sealed = seal_consents(self._secret, _NOBODY, os.urandom(_BYTES))

    def open(self) -> None:
        """For the time it takes."""
        unseal_consents(self._secret, _NOBODY, self._sealed)
