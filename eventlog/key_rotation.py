"""Data keys under another key-encryption key: online, in small steps, and safe to repeat."""

from collections.abc import Iterator
from dataclasses import dataclass

from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.eventlog.data_keys import KeyEncryption, about_key

REWRAP_BATCH = 500


@dataclass(frozen=True)
class KeyCount:
    """How many keys of one use there are, under one epoch or destroyed."""

    use: str
    epoch: int | None  # None: destroyed
    keys: int


def key_counts(logins: Logins) -> list[KeyCount]:
    """All keys there are, by use and epoch."""
    with logins.connect(LogRole.KEEPER) as connection:
        rows = connection.execute(
            """SELECT use, CASE WHEN wrapped IS NULL THEN NULL ELSE epoch END, count(*) FROM data_key
               GROUP BY 1, 2 ORDER BY 1, 2"""
        ).fetchall()
    return [KeyCount(*row) for row in rows]


def rewrap(logins: Logins, encryption: KeyEncryption, newest: int) -> Iterator[int]:
    """Wrap every key anew that is under an epoch before *newest*; yields how many are done, batch after batch.

    Readers and writers go on meanwhile: a key keeps its id and its secret. Raises KeyUnavailable.
    """
    done = 0
    with logins.connect(LogRole.KEEPER) as connection:
        while True:
            rows = connection.execute(
                """SELECT part, key_id, patient_id, use, epoch, wrapped FROM data_key
                   WHERE wrapped IS NOT NULL AND epoch < %s ORDER BY epoch, part, key_id LIMIT %s""",
                (newest, REWRAP_BATCH),
            ).fetchall()
            if not rows:
                return
            wraps = []
            for _, key_id, owner, use, epoch, wrapped in rows:
                about = about_key(key_id, owner, use)
                wraps.append(encryption.wrap(encryption.unwrap(epoch, wrapped, about), about))
            parts, ids, _, _, _, olds = zip(*rows, strict=True)
            epochs, news = zip(*wraps, strict=True)
            connection.execute(
                "SELECT rewrap_keys(%s::smallint[], %s, %s, %s, %s::integer[])",
                (list(parts), list(ids), list(olds), list(news), list(epochs)),
            )
            done += len(rows)
            yield done
