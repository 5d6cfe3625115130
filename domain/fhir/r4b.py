"""What `fhir.resources.R4B` says of the shape of what was sent, told without repeating it.

R4B is a shape check only: it takes any status, dangling references, and text that is JSON where an object
belongs. Its messages may echo what was sent, so ours are composed from the kind of error and the place.
"""

import re
from collections.abc import Sequence
from typing import Any

from fhir.resources.R4B import fhirtypes
from fhir.resources.R4B.bundle import Bundle
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from pydantic import ValidationError

from tsuzuri.domain.fhir.rejection import BundleRejected

_SHOWN_MAX = 5
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{2,40}")
_ELEMENT_NAME = re.compile(r"_?[a-z][A-Za-z0-9]{0,40}")
_CHOICE = re.compile(r"from this list \[([A-Za-z0-9', ]+)\]")

_REASONS = {
    "missing": "is required and missing",
    "model_field_validation.missing": "is required and missing",
    "list_type": "must be a list of objects or values",
    "string_type": "must be text",
    "json_invalid": "must be an object, not text",
    "model_validation_format": "must be an object of its FHIR type",
    "model_type": "must be an object of its FHIR type",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "string_pattern_mismatch": "is not of the form FHIR asks for",
    "value_error": "is not of the form FHIR asks for",
}


def is_known(resource_type: object) -> bool:
    """Whether FHIR R4 has this type. What it answers yes to is safe to show."""
    return (
        isinstance(resource_type, str)
        and _TYPE_NAME.fullmatch(resource_type) is not None
        and hasattr(fhirtypes, f"{resource_type}Type")
    )


def check(tree: dict[str, Any], resource: type[FHIRAbstractModel] = Bundle) -> None:
    """Raises BundleRejected, naming up to five places, when it is no Bundle, or *resource*, of FHIR R4's shape."""
    root = resource.get_resource_type()
    try:
        resource.model_validate(tree)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        told = [_told(tree, root, one["type"], one["loc"], one["msg"]) for one in found[:_SHOWN_MAX]]
        place, reason = told[0]
        rest = [f"{other_place} {other_reason}" for other_place, other_reason in told[1:]]
        if len(found) > _SHOWN_MAX:
            rest.append(f"{len(found) - _SHOWN_MAX} more")
        raise BundleRejected(place, "; ".join([reason, *rest])) from None
    except MemoryError:
        raise  # that is about this process, not about its shape
    except Exception as error:
        # The library fails in many ways on data it did not expect (KeyError, AttributeError, RecursionError).
        raise BundleRejected(root, f"is not of FHIR R4's shape ({type(error).__name__})") from None


def _told(tree: Any, root: str, kind: str, loc: Sequence[int | str], message: str) -> tuple[str, str]:
    path = list(loc)
    if path and path[-1] == "root":
        path.pop()
    if kind == "extra_forbidden" and path:
        # The last name is the sender's own and could be anything: its number in the object tells it as well.
        return _place(
            root, path[:-1]
        ), f"{_ordinal(tree, path)} is unknown to FHIR R4 (a name of R5, or misspelt?)"
    choice = _CHOICE.search(message) if kind == "value_error" else None
    if choice:
        return _place(root, path), f"must have exactly one of {_names(choice[1])}"
    if kind.startswith(("date", "time")):
        return _place(root, path), "is not a date or time of FHIR's form"
    return _place(root, path), _REASONS.get(kind, f"is not valid FHIR R4 ({kind})")


def _names(listed: str) -> str:
    names = listed.replace("'", "").split(", ")
    return ", ".join(names[:_SHOWN_MAX] + ["..."] * (len(names) > _SHOWN_MAX))


def _place(root: str, path: Sequence[int | str]) -> str:
    place = root
    for step in path:
        if isinstance(step, int):
            place += f"[{step}]"
        else:
            place += f".{step}" if _ELEMENT_NAME.fullmatch(step) else ".(unknown)"
    return place


def _ordinal(tree: Any, path: Sequence[int | str]) -> str:
    node = tree
    try:
        for step in path[:-1]:
            node = node[step]
        return f"element {list(node).index(path[-1]) + 1} of {len(node)}"
    except (KeyError, IndexError, TypeError, ValueError):
        return "an element"
