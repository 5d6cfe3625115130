"""The tables of the rules: every row has an example that keeps it and one that breaks it; FHIR's own is FHIR's."""

import re
import typing
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from typing import Any

import pytest

from row_examples import BUILDERS, POLICY, broken, kept, name_of
from tsuzuri.domain.rules.catalogue import PROFILE_TYPES, RULES, TABLED, WRITTEN
from tsuzuri.domain.rules.checking import check
from tsuzuri.domain.rules.demands import Row
from tsuzuri.domain.rules.policies import POLICIES
from tsuzuri.domain.rules.rule import Rule

LINES = {name: list(rules) for name, rules in groupby(sorted(TABLED, key=name_of), key=name_of)}
TYPES = sorted({rule.on[0] for rule in TABLED} - PROFILE_TYPES.keys())


def rows_broken(tree: Any, rule: Rule) -> dict[str, str]:
    """The rows of tables that an example breaks under the newest guide the rule holds in, with their places."""
    policy = POLICIES[POLICY[list(rule.holds)[-1]]]
    tabled = {known.id for known in TABLED}
    return {found.rule: found.path for found in check(tree, policy) if found.rule in tabled}


def same_element(one: str, other: str) -> bool:
    """Whether two rows speak of one element, or of what it lies in or holds."""
    bare = [re.sub(r":\w+|\[x\]", "", path) for path in (one, other)]
    return bare[0].startswith(bare[1]) or bare[1].startswith(bare[0])


@pytest.mark.parametrize("name", LINES)
def test_every_row_is_kept_by_one_example_and_broken_by_another(name: str) -> None:
    for rule in LINES[name]:
        assert rows_broken(kept(rule), rule) == {}, rule.id

        found = rows_broken(broken(rule), rule)

        assert rule.id in found
        others = [RULES[other].path for other in found if other != rule.id]
        assert [path for path in others if not same_element(path, rule.path)] == [], rule.id


@pytest.mark.parametrize("name", [name for name in LINES if name in BUILDERS])
def test_a_missing_element_is_told_at_its_place(name: str) -> None:
    for rule in LINES[name]:
        if (
            isinstance(rule, Row)
            and rule.demand.low
            and not rule.demand.values
            and ":" not in rule.demand.path
        ):
            place = rows_broken(broken(rule), rule)[rule.id]
            assert re.sub(r"\[\d+\]", "", place).endswith(rule.path.partition(".")[2])


def test_no_rule_is_written_twice_and_ours_do_not_look_like_the_guides() -> None:
    numbers = [rule.id for rule in (*WRITTEN, *TABLED)]

    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"R\d{4,5}[CO]?|T\d{4}", rule.id) for rule in WRITTEN)
    assert all(rule.id.startswith("T:") for rule in TABLED)


def test_every_rule_says_in_both_languages_what_is_wrong_and_what_to_do() -> None:
    for rule in RULES.values():
        for words in (rule.message, rule.fix):
            assert words.en and words.ja and words.en != words.ja, rule.id


# --- FHIR's own rows, against what fhir.resources knows of R4


def model(name: str) -> Any:
    return getattr(import_module(f"fhir.resources.R4B.{name.lower()}"), name)


def inner_types(annotation: Any) -> Iterator[str]:
    inside = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        return
    if inside:
        for one in inside:
            yield from inner_types(one)
    elif isinstance(annotation, type):
        yield annotation.__name__.removesuffix("Type")


def required_of(cls: Any, root: str, depth: int = 0) -> Iterator[str]:
    """Every path that FHIR requires below a type, within its own elements, notes and signatures."""
    for field_name, field in cls.model_fields.items():
        told = field.json_schema_extra or {}
        if field_name.endswith("__ext"):
            continue
        name = field.alias or field_name
        if told.get("one_of_many"):
            if told["one_of_many_required"]:
                yield f"{told['one_of_many']}[x]"
            continue
        if field.is_required() or told.get("element_required"):
            yield name
        for inner in inner_types(field.annotation) if depth < 3 else ():
            module = import_module(cls.__module__)
            own = getattr(module, inner, None) if inner.startswith(root) and inner != root else None
            if inner in ("Annotation", "Signature"):
                own = model(inner)
            if own is not None and own is not cls:
                yield from (f"{name}.{path}" for path in required_of(own, root, depth + 1))


@pytest.mark.parametrize("resource_type", TYPES)
def test_fhirs_own_rows_are_those_of_r4(resource_type: str) -> None:
    ours = {r.demand.path for r in LINES[resource_type] if isinstance(r, Row) and r.demand.low}

    assert ours == set(required_of(model(resource_type), resource_type))
