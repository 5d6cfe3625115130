"""From received bytes to checked JSON: size, encoding, syntax, numbers, the rules, then the shape of FHIR R4.

The tree keeps numbers as they were sent (Decimal, so "0.40" stays "0.40"). R4B is asked for its verdict only, and only
where that is not plain: what it would print back changes times and decimals.
"""

import json
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from msgspec import MsgspecError
from msgspec.json import Decoder

from tsuzuri.domain.fhir import r4b
from tsuzuri.domain.fhir.plain_shape import is_plain
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.rules.checking import check, has_errors, too_large
from tsuzuri.domain.rules.limits import DEPTH_MAX, SIZE_MAX_BYTES, extent
from tsuzuri.domain.rules.policies import Policy

ENTRIES_MAX = 5000
NUMBER_MAX_CHARACTERS = 40

_BUNDLE_TYPES = frozenset(
    "document message transaction transaction-response batch batch-response history searchset collection".split()
)
_STRING_OR_NUMBER = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|(-?[0-9][0-9.eE+-]*)', re.DOTALL)
_AS_NUMBERS = bytes(ord("0") if byte in b"0123456789.eE+-" else ord(" ") for byte in range(256))
_json = Decoder(float_hook=Decimal)


def checked(received: bytes, policy: Policy) -> tuple[dict[str, Any], list[str]]:
    """The Bundle as plain JSON, and which rules it breaks that only warn, with their places.

    Every key in it is one that FHIR R4 knows at its place.

    Raises:
        BundleRejected: with all rules that it breaks; else with the first thing found wrong, from the outside in.
    """
    if len(received) > SIZE_MAX_BYTES:
        raise BundleRejected(
            f"byte {SIZE_MAX_BYTES}",
            "the Bundle is larger than 10 MB (breaks T0001); send it in smaller ones",
            broken=too_large(policy),
        )
    text = _Text(received)
    bundle = _bundle(text.parsed())
    _check_number(bundle)
    broken = check(bundle, policy, size_bytes=len(received), depth=text.depth)
    if has_errors(broken):
        raise BundleRejected.of_rules(broken)
    _check_entries(bundle)
    if not is_plain(received):
        r4b.check(bundle)
    if text.holds_odd_strings:
        _check_strings(bundle)
    return bundle, [f"{one.rule} {one.path}" for one in broken]


def checked_resource(received: bytes, resource: type[FHIRAbstractModel]) -> dict[str, Any]:
    """A resource of this type that was sent by itself, as plain JSON. No rules are asked: they are about Bundles.

    Raises:
        BundleRejected: with the first thing found wrong, from the outside in.
    """
    if len(received) > SIZE_MAX_BYTES:
        raise BundleRejected(f"byte {SIZE_MAX_BYTES}", "the resource is larger than 10 MB")
    text, name = _Text(received), resource.get_resource_type()
    tree = text.parsed()
    if not isinstance(tree, dict) or tree.get("resourceType") != name:
        raise BundleRejected(name, f"the file holds no {name}: no JSON object of that resourceType")
    r4b.check(tree, resource)
    if text.holds_odd_strings:
        _check_strings(tree, name)
    return tree


def _decoded(received: bytes) -> str:
    try:
        return received.decode("utf-8")
    except UnicodeDecodeError as error:
        reason = "the file is not UTF-8 here; send FHIR JSON in UTF-8"
        raise BundleRejected(f"byte {error.start}", reason, unreadable=True) from None


class _Text:
    """What was sent, and what of it a tree of plain JSON would not tell."""

    def __init__(self, received: bytes) -> None:
        self._received = received
        self._text = _decoded(received)
        # NUL, which JSON writes in no other way; or a doubled key.
        self.holds_odd_strings = b"\\u0000" in received
        self.depth = 0  # levels of objects and lists, once it is parsed

    def parsed(self) -> Any:
        """The JSON value, with what JSON allows and no reader should accept marked or refused."""
        try:
            # orjson first: it is quick, places its errors, and is what reads the stored bytes later.
            tree = orjson.loads(self._text)
        except orjson.JSONDecodeError as error:
            reason = f"not valid JSON: {error.msg}"
            raise BundleRejected(_position(self._text, error.pos), reason, unreadable=True) from None
        self.depth, keys = extent(tree)
        if self.depth > DEPTH_MAX:
            reason = f"objects and lists are nested more than {DEPTH_MAX} deep"
            raise BundleRejected(f"level {self.depth}", reason, unreadable=True)
        if self._colons() == keys and not self._may_hold_long_numbers():
            with suppress(
                MsgspecError
            ):  # no key is doubled: a reader that would not tell takes half the time
                return _json.decode(self._received)
        try:
            return json.loads(
                self._text, parse_float=_decimal, parse_int=_integer, object_pairs_hook=self._object
            )
        except _LongNumber:
            matches = _STRING_OR_NUMBER.finditer(self._text)
            found = next(match for match in matches if len(match[1] or "") > NUMBER_MAX_CHARACTERS)
            reason = f"a number has more than {NUMBER_MAX_CHARACTERS} characters"
            raise BundleRejected(_position(self._text, found.start()), reason, unreadable=True) from None

    def _colons(self) -> int:
        """How often a quotation mark and a colon follow each other: at least once for each key, doubled ones too."""
        return self._received.translate(None, b" \t\r\n").count(b'":')

    def _may_hold_long_numbers(self) -> bool:
        return b"0" * (NUMBER_MAX_CHARACTERS + 1) in self._received.translate(_AS_NUMBERS)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        self.holds_odd_strings = True
        marked, seen = _Doubled(found), set[str]()
        for key, _ in pairs:
            if key in seen:
                marked.doubled = key
            seen.add(key)
        return marked


def _position(text: str, offset: int) -> str:
    return f"line {text.count(chr(10), 0, offset) + 1} column {offset - text.rfind(chr(10), 0, offset)}"


class _LongNumber(ValueError):
    pass


def _decimal(text: str) -> Decimal:
    if len(text) > NUMBER_MAX_CHARACTERS:
        raise _LongNumber
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > NUMBER_MAX_CHARACTERS:
        raise _LongNumber
    return int(text)


class _Doubled(dict[str, Any]):
    """An object that named a key twice. Kept until its place is known to be safe to show."""

    doubled = ""


def _bundle(tree: Any) -> dict[str, Any]:
    """The tree, when it is a Bundle of one of the two types that can be registered."""
    if not isinstance(tree, dict):
        raise BundleRejected("Bundle", "the file holds no JSON object, so no Bundle", not_a_bundle=True)
    named = tree.get("resourceType")
    if named is None:
        raise BundleRejected("Bundle", "the object names no resourceType, so no Bundle", not_a_bundle=True)
    if named != "Bundle":
        what = f"of resourceType {named}" if r4b.is_known(named) else "of a resourceType unknown to FHIR R4"
        reason = f"the object is {what}, no Bundle; send it as an entry of one"
        raise BundleRejected("Bundle", reason, not_a_bundle=True)
    kind = tree.get("type")
    if kind not in ("document", "collection"):
        named_type = kind if isinstance(kind, str) and kind in _BUNDLE_TYPES else "none that FHIR knows"
        raise BundleRejected(
            "Bundle.type", f"must be document or collection, and is {named_type}; only these are registered"
        )
    return tree


def _check_number(tree: dict[str, Any]) -> None:
    entries = tree.get("entry")
    if isinstance(entries, list) and len(entries) > ENTRIES_MAX:
        raise BundleRejected("Bundle.entry", f"has more than {ENTRIES_MAX} entries; send smaller Bundles")


def _check_entries(tree: dict[str, Any]) -> None:
    """What R4B would let pass or fail on: that each is an object of a known type."""
    entries = tree.get("entry")
    if not isinstance(entries, list) or not entries:
        raise BundleRejected("Bundle.entry", "must be a list of at least one entry")
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        _check_resource(resource, f"Bundle.entry[{index}].resource")


def _check_resource(resource: Any, place: str) -> None:
    if not isinstance(resource, dict):
        raise BundleRejected(place, "must be an object: a FHIR resource")
    if not r4b.is_known(resource.get("resourceType")):
        raise BundleRejected(f"{place}.resourceType", "is missing or names no resource of FHIR R4")
    contained = resource.get("contained")
    for index, inner in enumerate(contained if isinstance(contained, list) else ()):
        _check_resource(inner, f"{place}.contained[{index}]")


def _check_strings(tree: dict[str, Any], root: str = "Bundle") -> None:
    """Refuse NUL and doubled keys. Runs after the shape check: every key met here is FHIR's own."""
    waiting: list[tuple[Any, str]] = [(tree, root)]
    while waiting:
        node, place = waiting.pop()
        if isinstance(node, str):
            if "\0" in node:
                raise BundleRejected(place, "the text holds a NUL character; take it out")
        elif isinstance(node, dict):
            if isinstance(node, _Doubled):
                raise BundleRejected(f"{place}.{node.doubled}", "is given twice in one object; give it once")
            waiting.extend((child, f"{place}.{key}") for key, child in node.items())
        elif isinstance(node, list):
            waiting.extend((child, f"{place}[{index}]") for index, child in enumerate(node))
