"""All rules, each under one number."""

from collections.abc import Iterator, Mapping

from tsuzuri.domain.rules.collection_rules import COLLECTION_RULES
from tsuzuri.domain.rules.demands import entry_rule
from tsuzuri.domain.rules.document_table import (
    CHECKUP,
    CHECKUP_ENTRIES,
    CLINS,
    CLINS_ENTRIES,
    REFERRAL_0_9,
    REFERRAL_0_9_ENTRIES,
)
from tsuzuri.domain.rules.ecs_table import ECS, JP_CORE
from tsuzuri.domain.rules.entry_rules import ENTRY_RULES
from tsuzuri.domain.rules.fhir_rules import FHIR_RULES
from tsuzuri.domain.rules.fhir_value_rules import FHIR_VALUE_RULES
from tsuzuri.domain.rules.glossary import GLOSSARY
from tsuzuri.domain.rules.patient_rules import PATIENT_RULES
from tsuzuri.domain.rules.r4_table import R4
from tsuzuri.domain.rules.resource_rules import RESOURCE_RULES
from tsuzuri.domain.rules.rule import Guide, Rule
from tsuzuri.domain.rules.table import read_table

_CLINS = (Guide.CLINS_1_5, Guide.CLINS_1_10)
_Entries = Mapping[str, Mapping[str, tuple[int, int | None]]]


def _entry_rules(table: _Entries, guides: tuple[Guide, ...]) -> Iterator[Rule]:
    for bundle, carried in table.items():
        for resource_type, (low, high) in carried.items():
            yield entry_rule(bundle, resource_type, low, high, guides)


WRITTEN = (
    *COLLECTION_RULES,
    *ENTRY_RULES,
    *PATIENT_RULES,
    *RESOURCE_RULES,
    *FHIR_RULES,
    *FHIR_VALUE_RULES,
)
"""The rules with a predicate of their own."""

TABLED = (
    *read_table(R4, (Guide.FHIR_R4,), primitives=True),
    *read_table(JP_CORE, (Guide.JP_CORE,), GLOSSARY),
    *read_table(ECS, _CLINS, GLOSSARY),
    *read_table(CLINS, _CLINS, GLOSSARY),
    *read_table(CHECKUP, (Guide.CHECKUP_1_5,), GLOSSARY),
    *read_table(REFERRAL_0_9, (Guide.REFERRAL_0_9,), GLOSSARY),
    *_entry_rules(CLINS_ENTRIES, _CLINS),
    *_entry_rules(CHECKUP_ENTRIES, (Guide.CHECKUP_1_5,)),
    *_entry_rules(REFERRAL_0_9_ENTRIES, (Guide.REFERRAL_0_9,)),
)
"""The rows of the tables."""

TABLE_VERSION = 2
"""Grows when what a rule asks changes under the same id. Added rules and severities tell themselves."""

RULES: Mapping[str, Rule] = {rule.id: rule for rule in (*WRITTEN, *TABLED)}

PROFILE_TYPES: Mapping[str, str] = {
    kind: rule.path.partition(".")[0] for rule in TABLED for kind in rule.on if kind.startswith("JP_")
}
"""Profile → the resource type it is of."""
