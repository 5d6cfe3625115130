"""From a patient's number to the patient. In the log's tables a number stands only as a keyed hash."""

import hmac
from collections.abc import Sequence
from uuid import UUID

from tsuzuri.eventlog.log import AsyncPool


def digest(key: bytes, system: str, value: str) -> bytes:
    """HMAC-SHA-256 of one number in its one spelling. The system is length-marked, so none runs into the next."""
    return hmac.digest(key, f"{len(system)}:{system}{value}".encode(), "sha256")


async def owners(pool: AsyncPool, digests: Sequence[bytes]) -> dict[bytes, UUID]:
    """Which patient each digest belongs to now; digests nobody has claimed are absent."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT digest, patient_id FROM identifier WHERE digest = ANY (%b) AND valid_to IS NULL",
            (list(digests),),
            prepare=True,
            binary=True,
        )
        return dict(await cursor.fetchall())


async def claimed_for(pool: AsyncPool, patients: Sequence[UUID]) -> bool:
    """Whether anything was ever claimed for one of these: whoever has an event in the log has."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT EXISTS (SELECT FROM identifier WHERE patient_id = ANY (%b))",
            (list(patients),),
            prepare=True,
            binary=True,
        )
        row = await cursor.fetchone()
    return bool(row and row[0])
