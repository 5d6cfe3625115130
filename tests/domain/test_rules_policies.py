"""What a deployment asks: named policies, and severities changed rule by rule."""

import pickle

import pytest

from rule_bundles import collection
from rule_resources import of
from tsuzuri.domain.rules.catalogue import RULES
from tsuzuri.domain.rules.checking import check, has_errors
from tsuzuri.domain.rules.policies import POLICIES, Policy, PolicyWrong, policy_named
from tsuzuri.domain.rules.rule import Guide, Severity
from tsuzuri.domain.rules.systems import ALIASES, canonical
from written_rule_examples import EXAMPLES


def severities(policy: Policy) -> dict[str, Severity]:
    return {found.rule: found.severity for found in check(EXAMPLES["R2152"].broken, policy)}


def test_a_rule_may_become_a_warning_or_be_switched_off() -> None:
    assert severities(policy_named("clins-1.10")) == {"R2152": Severity.ERROR}
    assert severities(policy_named("clins-1.10", "R2152=warning")) == {"R2152": Severity.WARNING}
    assert severities(policy_named("clins-1.10", " R2152 = off , R6021=off")) == {}


def test_the_last_change_of_a_rule_wins_and_a_policy_may_be_changed_again() -> None:
    policy = policy_named("clins-1.10", "R2152=off,R2152=warning").changed("R0211=off")

    assert severities(policy) == {"R2152": Severity.WARNING}


def test_a_star_names_all_rules_that_begin_so() -> None:
    bundle = collection({"resourceType": "Condition"})

    everything = {found.rule for found in check(bundle, POLICIES["clins-1.10"])}
    without = {found.rule for found in check(bundle, policy_named("clins-1.10", "T:JP_Condition_eCS.*=off"))}

    assert (
        {rule for rule in everything if rule.startswith("T:JP_Condition_eCS.")}
        == everything - without
        != set()
    )


def test_a_change_does_not_bring_in_a_rule_of_another_guide() -> None:
    assert severities(policy_named("shape", "R2152=error")) == {}


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("clins-9", "", "there is no policy 'clins-9'; there are: clins-1.10, clins-1.5,"),
        ("shape", "R9999=off", "there is no rule 'R9999'"),
        ("shape", "T:Nothing.*=off", "there is no rule 'T:Nothing.*'"),
        ("shape", "R2152", "'R2152': a change is RULE=off|error|warning"),
        ("shape", "R2152=fatal", "'R2152=fatal': a change is RULE=off|error|warning"),
    ],
)
def test_a_wrong_setting_is_named(name: str, changes: str, says: str) -> None:
    with pytest.raises(PolicyWrong) as caught:
        policy_named(name, changes)

    assert str(caught.value).startswith(says)


def test_the_shape_is_only_what_fhir_itself_demands() -> None:
    asked = {rule.id for rule in RULES.values() if POLICIES["shape"].severity(rule)}

    assert asked == {rule.id for rule in RULES.values() if Guide.FHIR_R4 in rule.holds}
    assert not any(rule.startswith(("R", "T:JP_")) for rule in asked)


def test_warnings_are_no_errors() -> None:
    alone = of(collection(), entry=collection()["entry"][:1])

    assert not has_errors(check(alone, POLICIES["clins-1.10"]))
    assert has_errors(check(alone, policy_named("clins-1.10", "T0012=error")))


def test_what_is_found_crosses_to_another_process() -> None:
    found = check(EXAMPLES["R2152"].broken, POLICIES["clins-1.10"])

    assert pickle.loads(pickle.dumps(found)) == found


def test_every_alias_leads_to_a_spelling_that_is_none() -> None:
    assert all(canonical(url) == url and canonical(f"{oid}|1") == url for oid, url in ALIASES.items())
