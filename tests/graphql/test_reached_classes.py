"""Which classes a document may show, told from its fields alone."""

import pytest
from graphql import GraphQLObjectType, get_named_type

from examples import NUMBER
from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.graphql.preparing import prepare
from tsuzuri.graphql.reached_classes import REACHED, reached_classes
from tsuzuri.graphql.schema import build_schema

SCHEMA = build_schema()
FOUND = {  # what is found in these was reached through the field that holds them
    *("EntryConnection", "EntryEdge", "DocumentConnection", "DocumentEdge", "EntryGroup", "LabSeries"),
    *("TimelineConnection", "TimelineItemEdge", "ReceivedReferral", "RecordChange"),
}
TELLS = {"Entry", "Document", "EntryConnection", "DocumentConnection", "EntryGroup", "LabSeries"} | {
    *("TimelineConnection", "ReferralConnection", "OwnReferralConnection", "ReferralInbox"),
    *("RecordChangeConnection", "Node"),
}


def reached(selected: str) -> str:
    record = f'patientRecord(patient: {{insuredPerson: "{NUMBER}"}})'
    kinds = {"$c": "[RecordClass!]", "$k": "[DocumentKind!]"}
    declared = ", ".join(f"{name}: {kind}" for name, kind in kinds.items() if name in selected)
    operation = f"query ({declared})" if declared else "query"
    document = f"{operation} {{ {record} {{ ... on PatientRecord {{ {selected} }} }} }}"
    return " ".join(sorted(reached_classes(prepare(SCHEMA, document).fields)))


EVERY = " ".join(sorted(RecordClass))
DOCUMENTS = "CHECKUP_REPORT DISCHARGE_SUMMARY PATIENT_SUMMARY REFERRAL"


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ("accessId patient { name } grounds { classes }", ""),
        ("summary { conditions { id } drugAllergies { id } }", "CONDITION DRUG_ALLERGY"),
        ("lastCheckup", "CHECKUP_REPORT"),
        ("entries { totalCount }", EVERY),
        ("entries(filter: {classes: [INFECTION]}) { totalCount }", "INFECTION"),
        ("entries(filter: {classes: INFECTION}) { totalCount }", "INFECTION"),
        ("entries(filter: {classes: []}) { totalCount }", ""),
        ("entries(filter: {classes: $c}) { totalCount }", EVERY),
        ("entries(filter: {classes: null}) { totalCount }", EVERY),
        ("entries(filter: {from: null}) { totalCount }", EVERY),
        ("documents { totalCount }", DOCUMENTS),
        ("documents(filter: {kinds: [REFERRAL]}) { totalCount }", "REFERRAL"),
        ("documents(filter: {kinds: $k}) { totalCount }", DOCUMENTS),
        ("entries(filter: {classes: [INFECTION]}) { nodes { document { html } } }", EVERY),
        ("a: summary @skip(if: true) { conditions { id } } b: accessId", ""),
    ],
)
def test_a_field_reaches_what_it_asks_for(selected: str, expected: str) -> None:
    assert reached(selected) == expected


def test_every_field_that_tells_of_a_record_says_what_it_reaches() -> None:
    telling = {
        f"{name}.{field}"
        for name, kind in SCHEMA._schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and name not in FOUND
        for field, it in kind.fields.items()
        if get_named_type(it.type).name in TELLS
    }

    assert telling <= REACHED.keys()
    for path in REACHED:
        kind, _, field = path.partition(".")
        owner = SCHEMA._schema.type_map[kind]
        assert isinstance(owner, GraphQLObjectType) and field in owner.fields, path
