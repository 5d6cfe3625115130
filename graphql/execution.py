"""Runs an operation and lets its answer go only when what it read has been recorded."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson
import structlog
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from strawberry import Schema
from strawberry.dataloader import DataLoader
from strawberry.types import ExecutionResult

from tsuzuri.domain.callers import Caller
from tsuzuri.eventlog.appending import LogUnavailable, NarrowedMeanwhile
from tsuzuri.graphql.context import Application, Context
from tsuzuri.graphql.documents import chosen_operation
from tsuzuri.graphql.facility_types import Facility, load_facilities
from tsuzuri.graphql.failures import places, told
from tsuzuri.graphql.readings import Operation

ATTEMPTS = 10
VARIABLES_BYTES_MAX = 4_096  # they are stored once for each patient that was read
_log = structlog.get_logger()


async def execute(
    schema: Schema,
    application: Application,
    caller: Caller,
    document: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
) -> dict[str, Any]:
    """The GraphQL response: data, errors, or both. Reads are durable in the log when it returns.

    When an event that narrows came between the decision and its append, everything is decided and read again.
    """
    try:
        chosen = chosen_operation(document, operation_name)
    except GraphQLError as error:
        return _response(ExecutionResult(None, [error]))
    if chosen.operation is OperationType.SUBSCRIPTION:
        return _withheld("STREAM_NEEDED", "this is a subscription: ask for it with Accept: text/event-stream")
    operation = _operation(document, chosen, variables)
    for _ in range(ATTEMPTS):
        context = new_context(application, caller)
        result = await schema.execute(
            document,
            variable_values=dict(variables) if variables else None,
            context_value=context,
            operation_name=operation_name,
        )
        assert isinstance(result, ExecutionResult)
        try:
            if context.readings:
                await application.settle(caller, context.readings, operation, result.data)
        except NarrowedMeanwhile:
            continue
        except LogUnavailable:
            return _withheld(
                "LOG_UNAVAILABLE", "the access could not be recorded, so nothing is shown: try again"
            )
        return _response(result)
    return _withheld("CHANGED_MEANWHILE", "the record was being changed while it was read: try again")


async def subscribe(
    schema: Schema,
    application: Application,
    caller: Caller,
    document: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
) -> AsyncGenerator[dict[str, Any], None]:
    """The GraphQL responses of a subscription, one for each thing that it tells; nothing of any patient's record."""
    context = new_context(application, caller)
    results = await schema.subscribe(
        document,
        variable_values=dict(variables) if variables else None,
        context_value=context,
        operation_name=operation_name,
    )
    async with aclosing(results):
        async for result in results:
            assert not context.readings, "a read of a record would have to be settled before it is told"
            yield _response(result)


def _operation(
    document: str, chosen: OperationDefinitionNode, variables: Mapping[str, Any] | None
) -> Operation:
    """What the trail keeps of it. What it does not declare it has not read, and the log takes none of it."""
    declared = {definition.variable.name.value for definition in chosen.variable_definitions or ()}
    return Operation(
        sha256=sha256(document.encode()).hexdigest(),
        name=chosen.name.value if chosen.name else None,
        variables=_kept({key: value for key, value in (variables or {}).items() if key in declared}),
    )


def _kept(variables: Mapping[str, Any]) -> str:
    """The variables as JSON; of many or long ones only the digest."""
    told = orjson.dumps(variables)
    if len(told) > VARIABLES_BYTES_MAX:
        told = orjson.dumps({"sha256": sha256(told).hexdigest()})
    return told.decode()


def new_context(application: Application, caller: Caller) -> Context:
    """Of one request, which has read nothing yet."""

    async def load(numbers: list[str]) -> list[Facility]:
        return await load_facilities(application, numbers)

    return Context(application, caller, DataLoader(load))


def _response(result: ExecutionResult) -> dict[str, Any]:
    response: dict[str, Any] = {"data": result.data}
    if result.errors:
        request_id = str(uuid4())
        errors = []
        for error in result.errors:
            shown, ours = told(error, request_id)
            errors.append(shown)
            if ours:
                original = error.original_error
                _log.error(
                    "graphql_fault",
                    request_id=request_id,
                    fault=type(original).__name__,
                    at=places(original),
                )
        response["errors"] = errors
    return response


def _withheld(code: str, message: str) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}
