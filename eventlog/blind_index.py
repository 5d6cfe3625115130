"""From what can be said of a patient without a card to who she may be, by keyed hashes alone."""

from collections.abc import Sequence
from uuid import UUID

from tsuzuri.eventlog.log import AsyncPool


async def candidates(pool: AsyncPool, digests: Sequence[bytes]) -> list[UUID]:
    """The patients that all of these hashes name, nine at most; who is linked stands here under each number."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            """SELECT patient_id FROM blind_index WHERE digest = ANY (%b)
               GROUP BY patient_id HAVING count(*) = %b ORDER BY patient_id LIMIT 9""",
            (list(digests), len(digests)),
            prepare=True,
            binary=True,
        )
        return [patient for (patient,) in await cursor.fetchall()]
