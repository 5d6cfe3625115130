"""The text of what was asked, in the log before the access is: an access names it by its digest alone.

Only a text that names nobody, whoever asks with it. One that may name a patient lies in her audit, and goes with it.
"""

from tsuzuri.app.services import Services
from tsuzuri.domain.events import DocumentKept, originator
from tsuzuri.domain.owners import document_kept_id, documents_owner
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.graphql.readings import Operation


async def keep_document(services: Services, operation: Operation) -> None:
    """Once for each text and process; sent again, it is in the log already. Raises LogUnavailable."""
    if operation.document is None or not operation.names_nobody:
        return
    if services.documents_kept.get(operation.sha256):
        return
    kept = DocumentKept(
        originator_id=originator(documents_owner(), Stream.ACCESS),
        originator_version=0,
        event_id=document_kept_id(operation.sha256),
        sha256=operation.sha256,
        document=operation.document,
    )
    await services.log.append_access([kept], Beside())
    services.documents_kept.put(operation.sha256, True)
