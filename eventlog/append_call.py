"""The append function called through libpq itself: one message, one answer, and nothing of the driver in between.

The driver's cursor costs as much as everything else on our side of an append, and waits in small steps.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any

from psycopg import Connection, OperationalError, generators
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

from tsuzuri.eventlog.packed_parameters import Packed

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
_INT8, _ELEMENT = Struct("!q"), Struct("!iq")  # a bigint; one in an array, behind its length
_ARRAY_HEADER_BYTES = 20

Answer = tuple[list[int], datetime]
"""The heads as they were before, one for each part written to, and the moment."""


def answered(result: PGresult) -> Answer:
    """What the append function said, in PostgreSQL's own form."""
    bases, moment = result.get_value(0, 0), result.get_value(0, 1)
    assert bases is not None and moment is not None
    return (
        [base for _, base in _ELEMENT.iter_unpack(bases[_ARRAY_HEADER_BYTES:])],
        _EPOCH + timedelta(microseconds=_INT8.unpack(moment)[0]),
    )


class WriterConnection(Connection[Any]):
    """A connection that knows which calls it has prepared."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._append_names: dict[bytes, bytes] = {}

    def append(self, statement: bytes, parameters: Sequence[Packed | None]) -> Answer:
        """What the append function answers. Raises psycopg.Error."""
        name, values, formats = self._prepared_call(statement, parameters)
        return self._answer(self.pgconn.exec_prepared(name, values, formats, Format.BINARY))

    def send(self, statement: bytes, parameters: Sequence[Packed | None]) -> None:
        """Begin what `append` does, and let other threads run; `answer` waits for its end. Raises psycopg.Error."""
        name, values, formats = self._prepared_call(statement, parameters)
        self.pgconn.send_query_prepared(name, values, formats, Format.BINARY)
        self.wait(generators.send(self.pgconn))

    def answer(self) -> Answer:
        """Of what was sent last. Raises psycopg.Error."""
        return self._answer(self.wait(generators.fetch_many(self.pgconn))[0])

    def _prepared_call(
        self, statement: bytes, parameters: Sequence[Packed | None]
    ) -> tuple[bytes, list[Any], list[int]]:
        name = self._append_names.get(statement)
        if name is None:
            name = b"append_%d" % len(self._append_names)
            oids = [0 if parameter is None else parameter.oid for parameter in parameters]
            self._checked(self.pgconn.prepare(name, statement, oids), ExecStatus.COMMAND_OK)
            self._append_names[statement] = name
        values = [None if parameter is None else parameter.packed for parameter in parameters]
        return name, values, [Format.BINARY] * len(values)

    def _answer(self, result: PGresult) -> Answer:
        self._checked(result, ExecStatus.TUPLES_OK)
        return answered(result)

    def _checked(self, result: PGresult, status: ExecStatus) -> None:
        if result.status == status:
            return
        if self.pgconn.status == ConnStatus.BAD:
            raise OperationalError("the connection was lost")
        raise error_from_result(result)
