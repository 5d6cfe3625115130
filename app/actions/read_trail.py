"""To which moment the audit trail is whole."""

from datetime import datetime

from psycopg.errors import LockNotAvailable

from tsuzuri.app.actions.refusals import Busy
from tsuzuri.app.services import Services
from tsuzuri.projections import audit_trail


async def trail_complete_until(services: Services) -> datetime:
    """No access recorded before this moment is missing from the trail, not even one whose append is still open.

    The clock is read first; then each part's head is share-locked for a moment, which waits for an append that had
    begun there and holds up no other part. What begins later is recorded with a later time. An access that could not be
    applied, and all behind it of the same patient, are missing too.

    Raises:
        Busy: an append has stood open for seconds.
    """
    async with services.auditors.connection() as connection:
        cursor = await connection.execute("SELECT clock_timestamp()")
        row = await cursor.fetchone()
        assert row is not None
        moment: datetime = row[0]
        try:
            for part in range(services.log.parts):
                await connection.execute("SELECT await_appends(%b::smallint)", (part,), prepare=True)
        except LockNotAvailable:
            raise Busy("an append to the log is taking long; ask again") from None
        cursor = await connection.execute(
            """
            SELECT min(e.recorded_at) FROM (
                SELECT c.part, c.pos + 1 AS pos FROM projection p
                JOIN projection_checkpoint c ON c.name = p.name AND c.generation = p.live WHERE p.name = %(name)s
                UNION ALL
                SELECT q.part, q.pos FROM projection p
                JOIN projection_quarantine q ON q.name = p.name AND q.generation = p.live WHERE p.name = %(name)s
            ) AS lacking JOIN event e USING (part, pos)
            """,
            {"name": audit_trail.NAME},
        )
        row = await cursor.fetchone()
    return moment if row is None or row[0] is None else min(moment, row[0])
