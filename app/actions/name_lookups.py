"""How often one caller may name a patient by name and birth date: it is the one key that can be guessed."""

import math

from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import DemographicKey, PatientKey
from tsuzuri.graphql.context import RequestRefused


def count_lookup(services: Services, caller: Caller, key: PatientKey) -> None:
    """Asked before anything is looked up: what goes no further tells nothing, and is in no trail.

    Raises RequestRefused: RATE_LIMITED. Also for a purpose that finds nobody by name: else one could tell them apart.
    """
    if isinstance(key, DemographicKey):
        seconds = math.ceil(services.name_lookups.take(caller, 1))
        if seconds:
            raise RequestRefused(
                "RATE_LIMITED",
                f"you have named many patients by name and birth date: ask again in {seconds} s",
                {"retryAfterSeconds": seconds},
            )
