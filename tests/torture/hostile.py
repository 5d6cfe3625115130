"""Hostile Bundles: good ones with canaries in all that tells of a person, then damaged as an attacker would.

Number and seed say what comes out, byte for byte. What JSON cannot say (a key twice, a number of 100,000 digits, half a
surrogate) is put into the text after it was written, in place of a mark.
"""

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from fhir_examples import a_collection
from rendering_examples import a_diagnosis, a_referral, a_section
from rule_bundles import checkup, collection, discharge_summary, patient_summary, referral
from rule_resources import Json, allergy, observation, prescription
from torture.hostile_values import (
    ATTACKED_PATTERNS,
    DATES,
    MARKUP,
    NAMES,
    NUMBERS,
    REPEATED_MARKUP,
    STRETCHED,
    TEXTS,
    TYPES,
    ZONES,
)

CANARY, CANARY_NUMBER = "カナリア鳥CANARY", 31415926535
CANARIES = ("カナリア", "CANARY", str(CANARY_NUMBER))
_OF_PEOPLE = frozenset(
    "text display family given title div valueString description city line data name comment note".split()
)
_MARK = "\ue000{}\ue001"
_LARGE = 0.04  # the share that is megabytes


def _good() -> list[Callable[[], Json]]:
    def with_words() -> Json:
        sections = [a_section("340", "Condition/c", words="経過"), a_section("360", words="<b>現病歴</b>")]
        return a_referral(a_diagnosis("c", "狭心症"), sections=sections)

    return [
        collection, lambda: collection(observation(), observation()), lambda: collection(prescription()),
        lambda: collection(allergy()), referral, discharge_summary, patient_summary, checkup, with_words,
        lambda: a_collection(a_diagnosis("c", "狭心症")),
    ]  # fmt: skip


GOOD = _good()


def hostile_bundle(number: int, seed: int) -> bytes:
    """The *number*-th of a series. Most are some kilobytes, one in 25 up to the ten megabytes there may be."""
    return _Attack(Random(f"{seed}/{number}")).bundle()


class _Attack:
    """One Bundle in the making."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._large = rng.random() < _LARGE
        self._raw: dict[str, str] = {}

    def bundle(self) -> bytes:
        tree = with_canaries(self._rng.choice(GOOD)())
        for _ in range(1 if self._large else self._rng.choice((1, 1, 1, 2, 3))):
            self._rng.choice(_ATTACKS)(self, tree)
        text = json.dumps(tree, ensure_ascii=self._rng.random() < 0.3)
        for mark, raw in self._raw.items():
            text = text.replace(json.dumps(mark, ensure_ascii=True), raw).replace(f'"{mark}"', raw)
        body = text.encode("utf-8", "surrogatepass")
        return self._spoilt(body) if self._rng.random() < 0.05 else body

    # --- where and how much

    def size(self, small: int, large: int) -> int:
        """So many of something: large only where the whole Bundle is to be."""
        return self._rng.randint(1, large if self._large else small)

    def place(self, tree: Json, *, of: Callable[[Any], bool] = lambda _: True) -> tuple[Any, Any]:
        """Any (container, key) whose value is like that; any at all when there is none."""
        every = list(places(tree)) or [({"": None}, "")]
        return self._rng.choice([(node, key) for node, key in every if of(node[key])] or every)

    def put(self, tree: Json, value: Any) -> None:
        node, key = self.place(tree)
        node[key] = value

    def raw(self, text: str) -> str:
        """A mark that becomes *text* in the JSON, without quotes."""
        mark = _MARK.format(len(self._raw))
        self._raw[mark] = text
        return mark

    def object(self, tree: Json) -> Json:
        """An object anywhere in the tree, often a resource."""
        found = [node[key] for node, key in places(tree) if isinstance(node[key], dict)] + [tree]
        if self._rng.random() < 0.5:
            found = [one for one in found if "resourceType" in one] or found
        chosen: Json = self._rng.choice(found)
        return chosen

    # --- the attacks

    def depth(self, tree: Json) -> None:
        deep = self.size(100, 100_000)
        opened, closed = self._rng.choice((("[", "]"), ('{"extension":[', "]}"), ('{"contained":[', "]}")))
        if self._rng.random() < 0.2:
            closed = ""
        self.put(tree, self.raw(opened * deep + closed * deep))

    def width(self, tree: Json) -> None:
        wide = self.size(300, 100_000)
        self.put(tree, self._rng.choice(([0] * wide, [{}] * wide, {f"x{n}": CANARY for n in range(wide)})))

    def wrong_type(self, tree: Json) -> None:
        node, key = self.place(tree)
        values: tuple[Any, ...] = (
            None,
            True,
            0,
            -1,
            1.5,
            "",
            [],
            {},
            [[]],
            [{}],
            [None],
            {"": {}},
            CANARY,
            [node[key]],
        )
        node[key] = self._rng.choice(values)

    def absence(self, tree: Json) -> None:
        node, key = self.place(tree)
        del node[key]

    def doubled_key(self, tree: Json) -> None:
        node, key = self.place(tree, of=lambda value: isinstance(value, dict) and bool(value))
        holder = node[key] if isinstance(node[key], dict) and node[key] else {"text": CANARY}
        told = json.dumps(holder, ensure_ascii=False)
        first = json.dumps(self._rng.choice([*holder, *NAMES]), ensure_ascii=True)
        node[key] = self.raw(told[:-1] + f", {first}: {json.dumps(CANARY)}, {first}: null}}")

    def unknown_name(self, tree: Json) -> None:
        target = self.object(tree)
        for _ in range(self.size(3, 2000)):
            named = self._rng.choice((*NAMES, CANARY, f"{CANARY}{self._rng.random()}"))
            target[named] = self._rng.choice((CANARY, {}, [], 1, None, [CANARY], {CANARY: CANARY}))

    def text(self, tree: Json) -> None:
        node, key = self.place(tree, of=lambda value: isinstance(value, str))
        node[key] = self._rng.choice((*TEXTS, *ATTACKED_PATTERNS, *MARKUP))

    def broken_unicode(self, tree: Json) -> None:
        node, key = self.place(tree, of=lambda value: isinstance(value, str))
        node[key] = self.raw(
            self._rng.choice(('"\\ud800"', '"\\udc00\\ud800"', '"\ud800"', '"\\u0000"', '"\0"', '"\\x"'))
        )

    def long_text(self, tree: Json) -> None:
        piece = self._rng.choice(STRETCHED)
        long = piece * (self.size(20_000, 6_000_000) // len(piece.encode()))
        node, key = self.place(tree, of=lambda value: isinstance(value, str))
        node[key] = self._rng.choice((long, f"x{long}x", CANARY + long))

    def number(self, tree: Json) -> None:
        digits = str(CANARY_NUMBER) * (self.size(20, 10_000))
        self.put(
            tree, self.raw(self._rng.choice((*NUMBERS, digits, f"0.{digits}", f"{digits}e9", f"1e{digits}")))
        )

    def date(self, tree: Json) -> None:
        zoned = f"2026-01-01T00:00:00{self._rng.choice(ZONES)}"
        node, key = self.place(tree, of=lambda value: isinstance(value, str) and value[:4].isdigit())
        node[key] = self._rng.choice((*DATES, zoned, zoned))

    def reference(self, tree: Json) -> None:
        node, key = self.place(tree, of=lambda value: isinstance(value, str) and key_of_reference(value))
        known = [entry.get("fullUrl") for entry in _entries(tree)]
        node[key] = self._rng.choice(("#", "#x", "#visit", "urn:uuid:nobody", "Patient/p", CANARY, *known))

    def circle(self, tree: Json) -> None:
        """Resources that contain, name or are part of themselves and each other."""
        inner = {
            "resourceType": "Organization",
            "id": "same",
            "partOf": {"reference": "#same"},
            "name": CANARY,
        }
        for _ in range(self.size(3, 200)):
            target = self.object(tree)
            target.setdefault("contained", [copy.deepcopy(inner)])
            target |= {"id": "same", "partOf": {"reference": "Organization/same"}}
            if self._rng.random() < 0.3:
                target["hasMember"] = target["section"] = [
                    {"reference": "#same", "entry": [{"reference": "#same"}]}
                ]

    def contained(self, tree: Json) -> None:
        one = {
            "resourceType": self._rng.choice(TYPES),
            "id": "visit",
            "status": "finished",
            "name": [{"text": CANARY}],
        }
        many: list[Json] = [one] * self.size(40, 40_000)
        for _ in range(self._rng.randint(0, 70)):
            many = [{"resourceType": "Basic", "code": {"text": CANARY}, "contained": many}]
        self.object(tree)["contained"] = many

    def crowd(self, tree: Json) -> None:
        """Many references, each to one of many contained resources."""
        many = self.size(40, 30_000)
        target = self.object(tree)
        target["contained"] = [{"resourceType": "Practitioner", "id": f"c{n}"} for n in range(many)]
        for name in ("performer", "author", "recorder", "entry"):
            target[name] = [{"reference": f"#c{many - 1}"}] * many

    def extensions(self, tree: Json) -> None:
        tower: Json = {"url": f"urn:{CANARY}", "valueString": CANARY}
        for _ in range(self._rng.randint(0, 70)):
            tower = {"url": "urn:x", "extension": [tower]}
        name = self._rng.choice(("extension", "modifierExtension", "_birthDate", "_status"))
        self.object(tree)[name] = [tower] * self.size(20, 5_000)

    def repeated(self, tree: Json) -> None:
        """A list many times as long, of what was in it."""
        node, key = self.place(tree, of=lambda value: isinstance(value, list) and bool(value))
        if isinstance(node[key], list):
            node[key] = node[key] * min(self.size(30, 3_000), 8_000_000 // len(json.dumps(node[key])) + 1)

    def entries(self, tree: Json) -> None:
        known = tree["entry"] if isinstance(tree.get("entry"), list) else []
        one = self._rng.choice(({}, {"resource": {}}, {"resource": {"resourceType": "Basic"}}, *known))
        weight = len(json.dumps(one)) + 1
        count = self._rng.choice((4_999, 5_000, 5_001, 20_000)) if self._large else self.size(60, 60)
        tree["entry"] = [*known, *[one] * min(count, 9_000_000 // weight)]

    def markup(self, tree: Json) -> None:
        bomb = self._rng.choice(REPEATED_MARKUP) * self.size(2_000, 500_000)
        div = f"<div>{CANARY}{self._rng.choice((*MARKUP, bomb))}{self._rng.choice(MARKUP)}</div>"
        for _ in range(self._rng.randint(1, 3)):
            self.object(tree)["text"] = {"status": "generated", "div": div}

    def type(self, tree: Json) -> None:
        node, key = self.place(tree, of=lambda value: isinstance(value, dict) and "resourceType" in value)
        if isinstance(node[key], dict):
            node[key]["resourceType"] = self._rng.choice((*TYPES, CANARY, CANARY_NUMBER, None, [], {}))

    def sections(self, tree: Json) -> None:
        inner: Json = {"title": CANARY, "entry": [{"reference": "urn:uuid:patient"}]}
        for _ in range(self._rng.randint(0, 55)):
            inner = {"title": CANARY, "section": [inner] * self._rng.choice((1, 1, 1, 2))}
            if len(json.dumps(inner)) > (2_000_000 if self._large else 20_000):
                break
        for resource in resources(tree):
            if resource.get("resourceType") == "Composition":
                resource["section"] = [inner] * self.size(2, 5)

    def claims(self, tree: Json) -> None:
        root = "http://jpfhir.jp/fhir/eCS/StructureDefinition/"
        profiles = [
            f"{root}{self._rng.choice(('JP_Patient_eCS', 'JP_Condition_eCS', CANARY))}{n}"
            for n in range(self.size(5, 5_000))
        ]
        tags = [{"system": f"urn:{CANARY}", "code": "UNINFORMED", "display": CANARY}] * self.size(3, 3_000)
        self.object(tree)["meta"] = {"profile": profiles, "tag": tags, "lastUpdated": self._rng.choice(DATES)}

    def file(self, tree: Json) -> None:
        data = self._rng.choice(("", "====", "A", CANARY, "QUJD" * self.size(900, 1_500_000), "QUJD\n" * 90))
        attachment = {
            "contentType": self._rng.choice(("text/html", CANARY, "a/b\r\nX: y")),
            "data": data,
            "title": CANARY,
        }
        content = {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": attachment}],
        }
        if isinstance(tree.get("entry"), list):
            tree["entry"].append({"fullUrl": "urn:uuid:file", "resource": content})

    def _spoilt(self, body: bytes) -> bytes:
        cut, rng = self._rng.randrange(len(body)), self._rng
        return rng.choice(
            (
                body[:cut],
                body[cut:],
                body[:cut] + rng.randbytes(3) + body[cut:],
                body + body,
                b"\xef\xbb\xbf" + body,
                body[:200_000].decode("utf-8", "replace").encode("utf-16"),
                b"[" + body + b"]",
                body + b" " * (10 * 1024 * 1024 - len(body)) if self._large else body + b" ",
            )
        )


_ATTACKS: tuple[Callable[[_Attack, Json], None], ...] = (
    _Attack.depth, _Attack.width, _Attack.wrong_type, _Attack.wrong_type, _Attack.absence, _Attack.doubled_key,
    _Attack.unknown_name, _Attack.text, _Attack.text, _Attack.broken_unicode, _Attack.long_text, _Attack.number,
    _Attack.date, _Attack.date, _Attack.reference, _Attack.circle, _Attack.contained, _Attack.crowd, _Attack.extensions,
    _Attack.repeated, _Attack.entries, _Attack.markup, _Attack.markup, _Attack.type, _Attack.sections, _Attack.claims,
    _Attack.file,
)  # fmt: skip


def with_canaries(value: Any, key: str = "") -> Any:
    """The same JSON with a canary in every text and number that tells of a person."""
    match value:
        case dict():
            return {name: with_canaries(each, name) for name, each in value.items()}
        case list():
            return [with_canaries(each, key) for each in value]
        case str() if key == "div":
            return value.replace("</div>", f"{CANARY}</div>")
        case str() if key in _OF_PEOPLE:
            return f"{value} {CANARY}"
        case int() | float() if not isinstance(value, bool):
            return CANARY_NUMBER
        case _:
            return value


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of the tree; of what stands in it many times, the first few."""
    waiting, seen = [(node, 0)], 0
    while waiting and seen < 3000:
        node, depth = waiting.pop()
        if depth < 40 and isinstance(node, (dict, list)):
            keys = list(node) if isinstance(node, dict) else range(min(len(node), 20))
            for key in keys[:60]:
                seen += 1
                yield node, key
                waiting.append((node[key], depth + 1))


def resources(tree: Json) -> Iterator[Json]:
    return (entry["resource"] for entry in _entries(tree) if isinstance(entry.get("resource"), dict))


def _entries(tree: Json) -> list[Json]:
    entries = tree.get("entry")
    return [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


def key_of_reference(text: str) -> bool:
    return text.startswith(("urn:uuid:", "#", "Patient/", "Condition/", "Organization/"))
