"""Which operations may run, and for whom: known before anything of them runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLError

from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.cards import Card, purposes
from tsuzuri.graphql.costs import COST_MAX, ROWS_OF_A_COST
from tsuzuri.graphql.preparing import DocumentRefused, Prepared
from tsuzuri.graphql.selected_fields import Variables


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What this server lets run. A trusted document keeps to its card, however it came."""

    trusted: Mapping[str, Card] = field(default_factory=dict)  # by the sha256 of the document
    trusted_only: bool = False
    development: bool = False  # everybody may ask for the schema, and operators for what is not trusted

    def check(self, caller: Caller, prepared: Prepared, variables: Variables | None) -> None:
        """Raises DocumentRefused."""
        checked_cost(prepared, variables)
        operator = caller.role is Role.OPERATOR
        if prepared.asks_schema and not (self.development or operator):
            raise _refused(
                "INTROSPECTION_CLOSED", "the schema is not told here: it comes with the documentation"
            )
        card = self.trusted.get(prepared.sha256)
        if card is not None:
            _check_card(card, caller, prepared, variables or {})
        elif self.trusted_only and not (self.development and operator):
            raise _refused("DOCUMENT_NOT_REGISTERED", "only registered documents run here: send a documentId")


def checked_cost(prepared: Prepared, variables: Variables | None) -> int:
    """What the operation costs. Raises DocumentRefused when that is too much for anybody."""
    return _checked_cost(prepared, variables, COST_MAX)


def _checked_cost(prepared: Prepared, variables: Variables | None, most: int) -> int:
    cost = prepared.cost(variables)
    if cost > most:
        raise _refused(
            "TOO_COSTLY",
            f"the operation costs {cost}, {most} are allowed: ask for smaller pages, or for less within them "
            f"(1 stands for {ROWS_OF_A_COST} rows that the answer may hold)",
        )
    return cost


def _check_card(card: Card, caller: Caller, prepared: Prepared, variables: Variables) -> None:
    if caller.role not in card.roles:
        raise _refused("FORBIDDEN", "this document is not registered for your role")
    if not purposes(prepared.fields, variables) <= card.purposes:
        raise _refused("FORBIDDEN", "this document is not registered for that purpose")
    _checked_cost(prepared, variables, card.cost)


def _refused(code: str, message: str) -> DocumentRefused:
    return DocumentRefused([GraphQLError(message, extensions={"code": code})])
