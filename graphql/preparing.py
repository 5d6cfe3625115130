"""From the text of a document to an operation that may run: parsed, valid, and within the limits.

All of it is done once for each text, and nothing of it asks the database.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    Source,
    specified_rules,
    validate,
)
from strawberry import Schema
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from tsuzuri.graphql.costs import Rows, cost, rows_of
from tsuzuri.graphql.documents import chosen_operation, names_nobody, parsed_document, patient_keys
from tsuzuri.graphql.selected_fields import SelectedField, Variables, selected_fields

ERRORS_MAX = 20
MEMORY_MAX_BYTES = 32 * 1024 * 1024  # of all documents that are kept
BYTES_OF_A_TOKEN = 800  # parsed, with what is made of it
BYTES_OF_A_CHARACTER = 2
_RULES = [*specified_rules, MaybeNullValidationRule]


class DocumentRefused(Exception):
    """Nothing of the document runs; `errors` are for its author."""

    def __init__(self, errors: Sequence[GraphQLError]):
        super().__init__("the document cannot run")
        self.errors = list(errors)


@dataclass(frozen=True, eq=False)
class Prepared:
    """One operation of a document, ready to run with any variables."""

    document: str
    parsed: DocumentNode
    operation: OperationDefinitionNode
    sha256: str  # hex, of the document
    fields: tuple[SelectedField, ...]
    rows: Rows

    @property
    def name(self) -> str | None:
        return self.operation.name.value if self.operation.name else None

    @property
    def kind(self) -> OperationType:
        return self.operation.operation

    @cached_property
    def names_nobody(self) -> bool:
        """Whatever its variables say."""
        return names_nobody(self.document)

    @cached_property
    def patient_keys(self) -> frozenset[str] | None:
        """The variables that name patients where it names several; None: something else may name them."""
        return patient_keys(self.parsed, self.operation)

    def cost(self, variables: Variables | None) -> int:
        """How many rows the answer may hold at most, in tens, and at least 1: what a rate limit takes for it."""
        return cost(self.rows, variables)

    @property
    def asks_schema(self) -> bool:
        """Introspection: `__schema` or `__type`. `__typename` is no question about the schema."""
        return any(field.name.startswith("__") for field in self.fields)


def prepare(schema: Schema, document: str, operation_name: str | None = None) -> Prepared:
    """Raises DocumentRefused."""
    prepared = _kept.get(schema, document, operation_name)
    if isinstance(prepared, DocumentRefused):
        raise DocumentRefused(prepared.errors)
    return prepared


def _prepared(schema: Schema, document: str, operation_name: str | None) -> Prepared | DocumentRefused:
    try:
        parsed = parsed_document(document)
        operation = chosen_operation(parsed, operation_name)
    except GraphQLError as error:
        return DocumentRefused([_told(error, document)])
    if errors := validate(schema._schema, parsed, _RULES, max_errors=ERRORS_MAX, hide_suggestions=True):
        return DocumentRefused([_told(error, document) for error in errors])
    fields = selected_fields(schema._schema, parsed, operation)
    digest = sha256(document.encode()).hexdigest()
    return Prepared(document, parsed, operation, digest, fields, rows_of(fields))


def _told(error: GraphQLError, document: str) -> GraphQLError:
    """The same without the parsed document, which is ninety times as large as its text."""
    return GraphQLError(
        error.message, source=Source(document), positions=error.positions, extensions=error.extensions
    )


class _Kept:
    """The documents that were asked for last, refused ones too, as many as the memory for them holds."""

    def __init__(self) -> None:
        self._documents: OrderedDict[tuple[Schema, str, str | None], Prepared | DocumentRefused] = (
            OrderedDict()
        )
        self._bytes = 0

    def get(self, schema: Schema, document: str, operation_name: str | None) -> Prepared | DocumentRefused:
        key = schema, document, operation_name
        if key in self._documents:
            self._documents.move_to_end(key)
            return self._documents[key]
        found = self._documents[key] = _prepared(schema, document, operation_name)
        self._bytes += _bytes_of(document, found)
        while self._bytes > MEMORY_MAX_BYTES:
            (_, oldest, _), dropped = self._documents.popitem(last=False)
            self._bytes -= _bytes_of(oldest, dropped)
        return found


_kept = _Kept()


def _bytes_of(document: str, kept: Prepared | DocumentRefused) -> int:
    tokens = kept.parsed.token_count if isinstance(kept, Prepared) else 0
    return BYTES_OF_A_CHARACTER * len(document) + BYTES_OF_A_TOKEN * (tokens or 0)


class PreparedDocuments(SchemaExtension):
    """For the schema's own execution: what runs has been parsed and validated, and is not once more."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        assert context.query is not None
        schema = context.schema
        context.graphql_document = prepare(schema, context.query, context.operation_name).parsed
        context.pre_execution_errors = []
        yield
