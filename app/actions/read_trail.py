"""To which moment the audit trail is whole."""

from datetime import datetime

from tsuzuri.app.services import Services
from tsuzuri.projections import audit_trail


async def trail_complete_until(services: Services) -> datetime:
    """No access recorded before this moment is missing from the trail, not even one whose append is still open.

    The clock is read first; then the part heads are share-locked by one statement that commits by itself, which waits
    for appends that had begun and holds nothing longer. What begins later is recorded with a later time.
    """
    async with services.pool.connection() as connection:
        cursor = await connection.execute("SELECT clock_timestamp()")
        row = await cursor.fetchone()
        assert row is not None
        moment: datetime = row[0]
        await connection.execute("SELECT FROM part_head ORDER BY part FOR SHARE")
        cursor = await connection.execute(
            """
            SELECT min(e.recorded_at) FROM part_head h
            JOIN projection p ON p.name = %s
            LEFT JOIN projection_checkpoint c ON c.part = h.part AND c.name = p.name AND c.generation = p.live
            JOIN event e ON e.part = h.part AND e.pos = coalesce(c.pos, 0) + 1
            """,
            (audit_trail.NAME,),
        )
        row = await cursor.fetchone()
    return moment if row is None or row[0] is None else min(moment, row[0])
