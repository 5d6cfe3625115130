"""A DataLoader whose waiters come and go by themselves."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from strawberry.dataloader import DataLoader

K = TypeVar("K")
T = TypeVar("T")


class Loader(DataLoader[K, T]):
    """As the library's. There all who load a key wait for one future, and one of them who is cancelled cancels it.

    When a field fails, execution cancels those beside it: whoever waited for the same facility was cancelled with them,
    the whole operation at last, and its caller got no answer.
    """

    def load(self, key: K) -> Awaitable[T]:
        return asyncio.shield(super().load(key))
