"""Runs an operation and lets its answer go only when what it read has been recorded."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
import structlog
from graphql import OperationType
from strawberry import Schema
from strawberry.types import ExecutionResult

from tsuzuri.domain.callers import Caller
from tsuzuri.eventlog.appending import LogUnavailable, NarrowedMeanwhile
from tsuzuri.graphql.compile.planning import Plans
from tsuzuri.graphql.context import Application, Context
from tsuzuri.graphql.facility_types import Facility, load_facilities
from tsuzuri.graphql.failures import by_chance, places, told
from tsuzuri.graphql.loading import Loader
from tsuzuri.graphql.preparing import DocumentRefused, Prepared, prepare
from tsuzuri.graphql.readings import Operation
from tsuzuri.graphql.request_ids import current_request_id

ATTEMPTS = 10
VARIABLES_BYTES_MAX = 4_096  # they are stored once for each patient that was read
_log = structlog.get_logger()


@dataclass(frozen=True)
class Answer:
    """A GraphQL response as it is sent."""

    body: bytes  # JSON
    executed: bool = True  # it tells of data, even of none; else nothing of the operation ran
    compiled: bool = False  # a plan made it, and not ordinary execution


async def execute(
    schema: Schema,
    application: Application,
    caller: Caller,
    document: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    *,
    plans: Plans | None = None,
) -> dict[str, Any]:
    """The GraphQL response of a document that was given as text: see `prepare` and `run`."""
    try:
        prepared = prepare(schema, document, operation_name)
    except DocumentRefused as refused:
        answer = refused_answer(refused)
    else:
        answer = await run(schema, application, caller, prepared, variables, plans=plans)
    response: dict[str, Any] = orjson.loads(answer.body)
    return response


async def run(
    schema: Schema,
    application: Application,
    caller: Caller,
    prepared: Prepared,
    variables: Mapping[str, Any] | None = None,
    *,
    plans: Plans | None = None,
) -> Answer:
    """Data, errors, or both. Reads are durable in the log when it returns.

    When an event that narrows came between the decision and its append, everything is decided and read again.
    *plans*: by which what can be is answered without ordinary execution; the answer is the same.
    """
    if prepared.kind is OperationType.SUBSCRIPTION:
        return _withheld("STREAM_NEEDED", "this is a subscription: ask for it with Accept: text/event-stream")
    try:
        application.gate.check(caller, prepared, variables)
    except DocumentRefused as refused:
        return refused_answer(refused)
    operation = _operation(application, prepared, variables)
    for _ in range(ATTEMPTS):
        context = new_context(application, caller)
        result = None if plans is None else await _planned(plans, context, prepared, variables)
        compiled = result is not None
        if result is None:
            context = new_context(application, caller)
            result = await _executed(schema, context, prepared, variables)
        context.readings.failed = result.data is None or any(map(by_chance, result.errors or ()))
        try:
            if context.readings:
                await application.settle(caller, context.readings, operation, result.data)
        except NarrowedMeanwhile:
            continue
        except LogUnavailable:
            return _withheld(
                "LOG_UNAVAILABLE", "the access could not be recorded, so nothing is shown: try again"
            )
        return _answer(result, compiled=compiled)
    return _withheld("CHANGED_MEANWHILE", "the record was being changed while it was read: try again")


async def _planned(
    plans: Plans, context: Context, prepared: Prepared, variables: Mapping[str, Any] | None
) -> ExecutionResult | None:
    """None: ordinary execution is to run it, which says what is wrong where something is."""
    try:
        data = await plans.data(context, prepared, variables)
    except Exception:
        return None
    return None if data is None else ExecutionResult(data, None)


async def _executed(
    schema: Schema, context: Context, prepared: Prepared, variables: Mapping[str, Any] | None
) -> ExecutionResult:
    result = await schema.execute(
        prepared.document,
        variable_values=dict(variables) if variables else None,
        context_value=context,
        operation_name=prepared.name,
    )
    assert isinstance(result, ExecutionResult)
    return result


async def subscribe(
    schema: Schema,
    application: Application,
    caller: Caller,
    prepared: Prepared,
    variables: Mapping[str, Any] | None = None,
) -> AsyncGenerator[Answer, None]:
    """The GraphQL responses of a subscription, one for each thing it tells. What tells of a patient has recorded it."""
    try:
        application.gate.check(caller, prepared, variables)
    except DocumentRefused as refused:
        yield refused_answer(refused)
        return
    context = new_context(application, caller)
    context.operation = _operation(application, prepared, variables)
    results = await schema.subscribe(
        prepared.document,
        variable_values=dict(variables) if variables else None,
        context_value=context,
        operation_name=prepared.name,
    )
    async with aclosing(results):
        async for result in results:
            assert not context.readings, "a read of a record would have to be settled before it is told"
            yield _answer(result)


def refused_answer(refused: DocumentRefused) -> Answer:
    """What is said of a document that cannot run."""
    return _answer(ExecutionResult(None, refused.errors))


def _operation(
    application: Application, prepared: Prepared, variables: Mapping[str, Any] | None
) -> Operation:
    """What the trail keeps of it. What it does not declare it has not read, and the log takes none of it."""
    declared = {
        definition.variable.name.value for definition in prepared.operation.variable_definitions or ()
    }
    return Operation(
        sha256=prepared.sha256,
        name=prepared.name,
        variables=_kept({key: value for key, value in (variables or {}).items() if key in declared}),
        document=prepared.document,
        names_nobody=prepared.names_nobody or prepared.sha256 in application.gate.trusted,
        patient_keys=prepared.patient_keys,
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

    return Context(application, caller, Loader(load))


def _answer(result: ExecutionResult, *, compiled: bool = False) -> Answer:
    """An error before anything ran has no path, and then there is no data either (GraphQL, "Response Format")."""
    executed = result.data is not None or any(error.path for error in result.errors or ())
    response: dict[str, Any] = {"data": result.data} if executed else {}
    if result.errors:
        request_id = current_request_id()
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
    return Answer(orjson.dumps(response), executed, compiled)


def _withheld(code: str, message: str) -> Answer:
    error = {"message": message, "extensions": {"code": code}}
    return Answer(orjson.dumps({"data": None, "errors": [error]}))
