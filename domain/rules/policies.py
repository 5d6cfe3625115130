"""Which rules a deployment asks, and how severely."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from hashlib import sha256

from tsuzuri.domain.rules.catalogue import RULES, TABLE_VERSION
from tsuzuri.domain.rules.rule import Guide, Rule, Severity

_OFF = "off"
_ASKED_MAX = 5000  # resources look alike, and senders are many
_SEVERITIES: Mapping[str, Severity | None] = {_OFF: None} | {s.value: s for s in Severity}


class PolicyWrong(ValueError):
    """A policy, a rule or a severity that there is not; the message names it and what there is."""


@dataclass(frozen=True)
class Policy:
    """The guides that hold, and what a deployment changes about single rules (None: the rule is off)."""

    name: str
    guides: frozenset[Guide]
    changes: Mapping[str, Severity | None] = field(default_factory=dict)

    def changed(self, text: str) -> "Policy":
        """With other severities, from a setting such as "R2152=warning,T:Patient.*=off". A later one wins.

        Raises:
            PolicyWrong: it names no rule, or no severity.
        """
        changes = dict(self.changes)
        for change in filter(None, (part.strip() for part in text.split(","))):
            rule_id, equals, severity = (part.strip() for part in change.partition("="))
            if not equals or severity not in _SEVERITIES:
                raise PolicyWrong(f"{change!r}: a change is RULE={'|'.join(_SEVERITIES)}")
            changes |= dict.fromkeys(_named(rule_id), _SEVERITIES[severity])
        return replace(self, changes=changes)

    @cached_property
    def version(self) -> str:
        """Which rules were asked how: stored with what was checked. "clins-1.10 1 5be0c1d2".

        The name, the version of the table, and a digest of the rules with their severities.
        """
        asked = sorted((rule.id, severity) for rule in RULES.values() if (severity := self.severity(rule)))
        digest = sha256(
            "\n".join(f"{rule_id} {severity}" for rule_id, severity in asked).encode()
        ).hexdigest()
        return f"{self.name} {TABLE_VERSION} {digest[:8]}"

    def severity(self, rule: Rule) -> Severity | None:
        """How a broken rule counts; None when it is not asked."""
        held = [rule.holds[guide] for guide in self.guides if guide in rule.holds]
        if not held:
            return None
        return self.changes.get(rule.id, min(held))  # "error" comes before "warning"

    def asked(self, kinds: tuple[str, ...], names: Set[str]) -> Sequence[tuple[Rule, Severity]]:
        """What is asked of something that is all these: "Condition", "JP_Condition_eCS", "JP_Bundle_CLINS > *".

        *names*: its elements; rules that need others are left out.
        """
        alike = (kinds, self._needed.intersection(names))
        asked = self._asked.get(alike)
        if asked is None:
            every = dict(pair for kind in kinds for pair in self._by_kind.get(kind, ()))
            asked = [pair for pair in every.items() if not pair[0].only_with or pair[0].only_with & alike[1]]
            if len(self._asked) >= _ASKED_MAX:
                self._asked.clear()
            self._asked[alike] = asked
        return asked

    @cached_property
    def _by_kind(self) -> Mapping[str, list[tuple[Rule, Severity]]]:
        by_kind: dict[str, list[tuple[Rule, Severity]]] = {}
        for rule in RULES.values():
            if severity := self.severity(rule):
                for kind in rule.on:
                    by_kind.setdefault(kind, []).append((rule, severity))
        return by_kind

    @cached_property
    def _needed(self) -> frozenset[str]:
        return frozenset[str]().union(*(rule.only_with for rule in RULES.values()))

    @cached_property
    def _asked(self) -> dict[tuple[tuple[str, ...], frozenset[str]], Sequence[tuple[Rule, Severity]]]:
        return {}  # by names of ours only: what else a sender writes is not remembered


def _named(rule_id: str) -> Iterable[str]:
    """The rules of an id, or of the beginning of one before a star."""
    found = (
        [known for known in RULES if known.startswith(rule_id[:-1])] if rule_id.endswith("*") else [rule_id]
    )
    if not found or found[0] not in RULES:
        raise PolicyWrong(f"there is no rule {rule_id!r}; docs/rules.md lists them")
    return found


_SHARED = frozenset({Guide.FHIR_R4, Guide.JP_CORE, Guide.CHECKUP_1_5})

POLICIES: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy("clins-1.10", _SHARED | {Guide.CLINS_1_10}),
        Policy("clins-1.5", _SHARED | {Guide.CLINS_1_5}),
        Policy("checkup-1.5", frozenset({Guide.FHIR_R4, Guide.CHECKUP_1_5})),
        Policy("referral-0.9", frozenset({Guide.FHIR_R4, Guide.REFERRAL_0_9})),
        Policy("shape", frozenset({Guide.FHIR_R4})),
    )
}


@cache
def policy_named(name: str, changes: str = "") -> Policy:
    """The policy of a setting.

    Raises:
        PolicyWrong: there is none of that name, or a change names no rule or no severity.
    """
    if name not in POLICIES:
        raise PolicyWrong(f"there is no policy {name!r}; there are: {', '.join(POLICIES)}")
    return POLICIES[name].changed(changes)
