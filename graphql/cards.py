"""The card of a trusted document: who may run it, for what, which classes it reaches and what it may cost.

What a document reaches is measured from its fields; a card may not say less.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role
from tsuzuri.graphql.costs import COST_MAX
from tsuzuri.graphql.permissions import RolePermission
from tsuzuri.graphql.preparing import Prepared
from tsuzuri.graphql.reached_classes import reached_classes
from tsuzuri.graphql.selected_fields import Given, SelectedField, Variables


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a document is registered for."""

    name: str  # the operation's
    about: str  # what it is for, in a sentence
    sha256: str  # hex, of the document's bytes
    roles: frozenset[Role]
    purposes: frozenset[PurposeOfUse]  # that it may name; none when it names none
    classes: frozenset[RecordClass]  # that it may show
    cost: int  # at most; variables may make it cost less


def differences(card: Card, prepared: Prepared) -> list[str]:
    """Where a card does not say what its document does."""
    measured = {
        "name": (card.name, prepared.name),
        "sha256": (card.sha256, prepared.sha256),
        "classes": (_words(card.classes), _words(reached_classes(prepared.fields))),
    }
    wrong = [
        f"{what} is {is_so}, the card says {said}"
        for what, (said, is_so) in measured.items()
        if said != is_so
    ]
    if shut_out := card.roles - roles(prepared.fields):
        wrong.append(f"its fields are closed to {_words(shut_out)}, the card is not")
    if unsaid := purposes(prepared.fields, {}, known_only=True) - card.purposes:
        wrong.append(f"it names the purposes {_words(unsaid)}, the card does not")
    least = prepared.cost({})
    most = COST_MAX if prepared.rows.parts else least
    if not least <= card.cost <= most:
        wrong.append(f"it costs {least} to {most}, the card says {card.cost}")
    return wrong


def _words(values: Iterable[str]) -> str:
    return " ".join(sorted(values)) or "none"


def roles(fields: Iterable[SelectedField]) -> frozenset[Role]:
    """Who may use all of these root fields."""
    return frozenset.intersection(frozenset(Role), *map(_roles, fields))


def _roles(field: SelectedField) -> frozenset[Role]:
    definition = (field.definition.extensions or {}).get("strawberry-definition")
    permissions = definition.permission_classes if definition else []
    return frozenset().union(*(p.roles for p in permissions if issubclass(p, RolePermission)))


_ABOUT_OTHERS = frozenset({"Query.accessAt", "Mutation.grantConsent"})
"""Their purpose is not what they are asked for."""


def purposes(
    fields: Iterable[SelectedField], variables: Variables, *, known_only: bool = False
) -> frozenset[PurposeOfUse]:
    """For what these root fields read; *known_only*: not what a variable says."""
    found = set()
    for field in fields:
        argument = field.definition.args.get("purpose")
        if argument is None or field.path in _ABOUT_OTHERS:
            continue
        written = field.arguments.get("purpose", argument.default_value)
        if isinstance(written, Given):
            if known_only:
                continue
            written = written.value(variables) or argument.default_value
        if isinstance(written, str) and written in list(
            PurposeOfUse
        ):  # else it is refused when it is executed
            found.add(PurposeOfUse(written))
    return frozenset(found)
