"""Whether a Bundle is so plainly of FHIR R4's shape that R4B need not be asked.

A narrower copy of R4B's own models: whatever fits it fits them too, and it takes a tenth of their time. Yes is an
answer, no is none: an element that is rarely sent, a value of an unusual form and all that is wrong are R4B's to judge.
"""

import sys
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from threading import Lock
from types import NoneType
from typing import Annotated, Any, ForwardRef, Union, get_args, get_origin

from fhir.resources.R4B import fhirtypes
from fhir.resources.R4B.bundle import Bundle
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from fhir_core.types import FhirBase
from msgspec import UNSET, Meta, MsgspecError, Struct, defstruct
from msgspec.json import Decoder

_RESOURCES = (
    "AllergyIntolerance Binary CarePlan Composition Condition Coverage DiagnosticReport DocumentReference Encounter "
    "Immunization Location Medication MedicationRequest MedicationStatement Observation Organization Patient "
    "Practitioner PractitionerRole Procedure ServiceRequest Specimen"
).split()
"""What facilities send. With each more of them the program takes longer to start."""

_DAY = r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_LEAP_DAY = r"(?:[12]\d(?:0[48]|[2468][048]|[13579][26])|(?:12|16|20|24|28)00)-02-29"
_DATE = rf"(?:[12]\d{{3}}(?:-(?:{_DAY}|0[1-9]|1[0-2]))?|{_LEAP_DAY})"
_ZONE = r"(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)"
_TIME = rf"(?:[12]\d{{3}}-{_DAY}|{_LEAP_DAY})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{{1,6}})?{_ZONE}"


def _of_form(pattern: str) -> Any:
    return Annotated[str, Meta(pattern=rf"\A(?:{pattern})\Z")]


_SAYING_SOMETHING = Annotated[str, Meta(pattern=r"\S")]
_PRIMITIVES: dict[str, Any] = {
    "String": _SAYING_SOMETHING,
    "Markdown": _SAYING_SOMETHING,
    "Xhtml": _SAYING_SOMETHING,
    "Uri": _SAYING_SOMETHING,
    "Canonical": _SAYING_SOMETHING,
    "Code": _of_form(r"\S+(?: \S+)*"),
    "Id": _of_form(r"[A-Za-z0-9.-]{1,64}"),
    "Date": _of_form(_DATE.replace(r"\d", "[0-9]")),
    "DateTime": _of_form(rf"{_DATE}|{_TIME}".replace(r"\d", "[0-9]")),
    "Instant": _of_form(_TIME.replace(r"\d", "[0-9]")),
    "Decimal": float,
    "Integer": Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)],
    "UnsignedInt": Annotated[int, Meta(ge=0, le=2**31 - 1)],
    "PositiveInt": Annotated[int, Meta(ge=1, le=2**31 - 1)],
}
"""By FHIR's name. What is not here, such as a url or a file's bytes, is left to R4B."""


class _Choosing(Struct):
    """An element with values of which one type is chosen: value[x]."""

    def __post_init__(self) -> None:
        for values_of, required in _CHOICES[type(self).__name__]:
            values = values_of(self)
            given = len(values) - values.count(UNSET)
            if given > 1 or (required and not given):
                raise ValueError


_CHOICES: dict[str, list[tuple[Callable[[Any], tuple[Any, ...]], bool]]] = {}
"""By name of the element: what is there of each choice, and whether one must be."""


_building = Lock()  # msgspec crashes when two threads look up the same names at once


def is_plain(received: bytes) -> bool:
    """*received* is JSON in UTF-8 that nests a limited number of levels. False: ask R4B."""
    with _building:
        decoder = _decoder()
    try:
        decoder.decode(received)
    except (MsgspecError, ValueError):
        return False
    return True


@cache
def _decoder() -> Decoder[Any]:
    resources = [_model(name) for name in _RESOURCES]
    waiting: list[type[FHIRAbstractModel]] = [Bundle, *resources]
    shapes: dict[str, Any] = {}
    while waiting:
        model = waiting.pop()
        if model.__name__ not in shapes:
            shapes[model.__name__] = _shape(model, waiting)
    vars(sys.modules[__name__]).update(shapes, Resource=Union[*(shapes[name] for name in _RESOURCES)])
    return Decoder(shapes["Bundle"])


def _model(name: str) -> type[FHIRAbstractModel]:
    found: type[FHIRAbstractModel] = getattr(fhirtypes, f"{name}Type").get_model_klass()
    return found


def _kind(annotation: Any, waiting: list[type[FHIRAbstractModel]]) -> Any:
    """What may stand where R4B's models have *annotation*; None for what is left to R4B."""
    if annotation is bool:
        return bool
    if get_origin(annotation) is Annotated:
        return _PRIMITIVES.get(type(annotation.__metadata__[-1]).__name__)
    if isinstance(annotation, type) and issubclass(annotation, FhirBase):
        model = annotation.get_model_klass()
        if model.__name__ not in ("Resource", "Element"):
            waiting.append(model)
        return ForwardRef(model.__name__) if model.__name__ != "Element" else None
    given = [one for one in get_args(annotation) if one is not NoneType]
    kind = _kind(given[0], waiting) if len(given) == 1 else None
    if kind is None or get_origin(annotation) is not list:
        return kind
    return list[kind]  # type: ignore[valid-type]


def _shape(model: type[FHIRAbstractModel], waiting: list[type[FHIRAbstractModel]]) -> type[Struct]:
    """Of one model. Names of others stand for them, and are looked up in this module when all are made."""
    required: list[tuple[str, Any]] = []
    optional: list[tuple[str, Any, Any]] = []
    choices: dict[str, tuple[list[str], bool]] = {}
    renamed: dict[str, str] = {}
    for name, field in model.model_fields.items():
        kind = _kind(field.annotation, waiting)
        if kind is None:
            continue
        told: dict[str, Any] = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if choice := told.get("one_of_many"):
            choices.setdefault(choice, ([], bool(told["one_of_many_required"])))[0].append(name)
        renamed[name] = field.alias or name
        if field.is_required() or told.get("element_required"):
            required.append((name, kind))
        else:
            optional.append((name, kind, UNSET))
    _CHOICES[model.__name__] = [(attrgetter(*names), needed) for names, needed in choices.values()]
    return defstruct(
        model.__name__,
        [*required, *optional],
        bases=(_Choosing,) if choices else (),
        module=__name__,
        rename=renamed,
        forbid_unknown_fields=True,
        tag_field="resourceType" if model.has_resource_base() else None,
        tag=model.__name__ if model.has_resource_base() else None,
    )
