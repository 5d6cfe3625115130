"""Keeps projections current in a process beside `tsuzuri serve`.

It loads neither GraphQL nor FHIR's resources: as long as it loads, `/readyz` tells of what came in while nobody served.
"""

from tsuzuri.app.ended_with import ended_with
from tsuzuri.app.keys import key_encryption, role_key
from tsuzuri.app.logs import configure_logs
from tsuzuri.app.projector import Projector
from tsuzuri.app.settings import Settings
from tsuzuri.eventlog.connecting import Logins
from tsuzuri.eventlog.data_keys import KeyRing


def project_on_and_on(settings: Settings, dsn: str, parent: int) -> None:
    """Until *parent*, the process that started this one, has ended."""
    configure_logs()
    logins, ring = Logins(dsn, role_key(settings)), KeyRing(key_encryption(settings))
    projector = Projector(logins, ring, rebuild_share=settings.rebuild_share)
    ended_with(parent, projector.stopping.set)
    projector.run()
