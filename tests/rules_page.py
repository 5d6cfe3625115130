"""docs/rules.md: what the rules say of themselves, and the figures measured on published negative cases."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from row_examples import name_of
from tsuzuri.domain.rules.catalogue import TABLED, WRITTEN
from tsuzuri.domain.rules.demands import Row
from tsuzuri.domain.rules.policies import POLICIES
from tsuzuri.domain.rules.rule import Guide, Rule, Severity

PAGE = Path(__file__).parents[1] / "docs" / "rules.md"
FIGURES = ("<!-- figures: measured by tests/domain/test_rules_published.py -->", "<!-- end of figures -->")

INTRODUCTION = """\
# The rules

What a Bundle or a resource is checked against: FHIR R4's own demands, and those of the Japanese guides, as data
(`domain/rules/`). Each rule has a number by which an operator changes it and a vendor quotes it. R… are the guide's own
numbers. T0001… are ours, where the guide gives none or contradicts itself. T:… are the rows of the tables: profile or
type, and the element they ask for.

    tsuzuri check referral.json                             # under clins-1.10
    tsuzuri check --policy clins-1.5 --language ja out/     # a folder, in Japanese
    tsuzuri check --severity "R2152=warning,T:Patient.*=off" --json bundles.ndjson

The exit code is 0 when no error is found (warnings may be), 1 when one is, 2 when a file cannot be read at all. What is
told names places and rules, never a value of the sender's.

## Policies
"""

NOTES = """\
`clins-1.5` is 1.5.2, `clins-1.10` is 1.10.0 with its corrections of May 2025, `shape` is what FHIR itself demands.
A rule that holds in several guides of a policy counts as its gravest. `--severity` takes RULE=error, RULE=warning or
RULE=off, and a star after the beginning of a number. A system is known by its OID and by its URL, with or without
`|version`; extensions and profiles by their last name, since the guides moved them from root to root. A resource in a
collection is read as the profile of its type, whether it claims it or not; elsewhere, as what it claims. Rules speak of
what is there: where an element is missing, its row says so, and nothing is said of what it would have held.

## Where the guide contradicts itself

* R02142 forbids a Bundle of prescriptions, which the guide's value set allows: T0011 warns.
* R02143 asks for at least one resource; the guide has senders clear what they sent by a Patient alone: T0012 warns.
* R2012 names code systems the guide has since left: the drug allergens of J-FAGY are accepted too.
* R9018C asks, to the letter, for an end of every condition: it warns where one has ended and no date says when.
* R1011 and R1112 are written in the guide and asked by none of its profiles: they warn.
* R1010, R1021, R2152 and R9012 have, as the guide writes them, no room for a pharmacy's number (点数表 4).
  Pharmacies are facilities like others: here the four take 1 to 4, and T0025 warns where the guide's own form is
  broken. To hold it to the letter: `--severity T0025=error`.
* Profiles must be named with their version, says the guide, and its own examples do not: that is not asked.
* Some names of laboratory codes differ in upper and lower case between its tables: names of codes are not compared.
* A check-up's type is 53576-5 in one guide and JPGCHKUP01 in the other: both are taken.

## Measured
"""


def page(figures: str) -> str:
    written = sorted(WRITTEN, key=lambda rule: (rule.id[0] == "T", rule.id))
    return "\n".join(
        [
            INTRODUCTION,
            *_policies(),
            "",
            NOTES,
            FIGURES[0],
            figures,
            FIGURES[1],
            "",
            f"## Rules with a predicate of their own ({len(written)})",
            "",
            "| rule | holds in | path | what is wrong | what to do |",
            "|---|---|---|---|---|",
            *map(_written, written),
            "",
            f"## Rows of the tables ({len(TABLED)})",
            "",
            "Each is asked of every element it may lie in, and of none where there is none.",
            "",
            *_tables(),
        ]
    )


def figures_in(text: str) -> str:
    return text.partition(FIGURES[0])[2].partition(FIGURES[1])[0].strip("\n")


def _policies() -> Iterator[str]:
    yield "| policy | guides | rules |"
    yield "|---|---|---|"
    for policy in POLICIES.values():
        asked = [rule for rule in (*WRITTEN, *TABLED) if policy.severity(rule)]
        yield f"| `{policy.name}` | {', '.join(sorted(policy.guides))} | {len(asked)} |"


def _written(rule: Rule) -> str:
    message = f"{rule.message.en}<br>{rule.message.ja}"
    fix = f"{rule.fix.en}<br>{rule.fix.ja}"
    return f"| {rule.id} | {_holds(rule)} | {' '.join(rule.on)}<br>`{rule.path}` | {message} | {fix} |"


def _holds(rule: Rule) -> str:
    severities = set(rule.holds.values())
    if severities == {Severity.ERROR}:
        return ", ".join(rule.holds)
    if severities == {Severity.WARNING}:
        return f"{', '.join(rule.holds)} (warning)"
    return ", ".join(f"{guide} ({severity})" for guide, severity in rule.holds.items())


def _tables() -> Iterator[str]:
    for name, rules in groupby(sorted(TABLED, key=_order), key=name_of):
        rows = list(rules)
        guides = sorted({guide for rule in rows for guide in rule.holds})
        yield f"### {name} ({', '.join(guides)})"
        yield ""
        yield ", ".join(_asked(rule, guides) for rule in rows)
        yield ""


def _order(rule: Rule) -> tuple[bool, str]:
    return not name_of(rule).startswith("JP_"), name_of(rule)


def _asked(rule: Rule, guides: Iterable[Guide]) -> str:
    told = f"`{rule.id.removeprefix(f'T:{name_of(rule)}.')}`"
    if isinstance(rule, Row):
        demand = rule.demand
        told += " never" if demand.high == 0 else ""
        told += (" exactly 1" if demand.low else " at most 1") if demand.high == 1 else ""
        if demand.values:
            told += f"{'' if demand.low else ' if given,'} one of {' '.join(f'`{value}`' for value in demand.values)}"
    else:
        told += f" {rule.fix.en.removeprefix('Send ').rpartition(' ')[0]}"
    return told if set(rule.holds) == set(guides) else f"{told} ({_holds(rule)} only)"
