"""Trusted documents: read from a folder, checked against their cards, asked for by digest."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from command_examples import Tsuzuri
from log_examples import settings_at
from tsuzuri.app.edge import EdgeRefused
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import SettingsWrong
from tsuzuri.app.trusted_documents import SHIPPED, TrustedDocuments, load_documents
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.schema import build_schema

SCHEMA = build_schema()
TEXT = "query Listed($first: Int!) {\n  facilities(first: $first) { nodes { number name } }\n}\n"
CARD: dict[str, Any] = {
    "name": "Listed",
    "about": "医療機関: those that are listed.",
    "sha256": sha256(TEXT.encode()).hexdigest(),
    "roles": ["CLINICIAN", "AUDITOR"],
    "purposes": [],
    "classes": [],
    "cost": 21,
}
DOCUMENTS = TrustedDocuments({CARD["sha256"]: TEXT})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One trusted document and its card."""
    (tmp_path / "listed.graphql").write_text(TEXT, "utf-8")
    (tmp_path / "listed.json").write_text(json.dumps(CARD), "utf-8")
    return tmp_path


# --- which document a request asks for


@pytest.mark.parametrize(
    "request_json",
    [
        {"query": TEXT},
        {"documentId": f"sha256:{CARD['sha256']}"},
        {"documentId": f"sha256:{CARD['sha256'].upper()}"},
        {"documentId": f"sha256:{CARD['sha256']}", "query": TEXT},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": CARD["sha256"]}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": CARD["sha256"]}}, "query": TEXT},
        {"query": TEXT, "extensions": {"persistedQuery": None}, "documentId": None},
        {"query": TEXT, "extensions": None},
    ],
)
def test_a_document_is_given_as_text_or_named_by_its_digest(request_json: dict[str, Any]) -> None:
    assert DOCUMENTS.text_of(request_json) == TEXT


def test_a_text_with_its_own_digest_need_not_be_registered() -> None:
    text = "{ __typename }"
    digest = sha256(text.encode()).hexdigest()

    assert DOCUMENTS.text_of({"query": text, "documentId": f"sha256:{digest}"}) == text


@pytest.mark.parametrize(
    ("request_json", "code"),
    [
        ({}, "BAD_BODY"),
        ({"query": None}, "BAD_BODY"),
        ({"query": 1}, "BAD_BODY"),
        ({"documentId": 1}, "BAD_BODY"),
        ({"documentId": ["sha256:" + CARD["sha256"]]}, "BAD_BODY"),
        ({"documentId": f"sha256:{CARD['sha256']}", "query": "{ __typename }"}, "BAD_BODY"),
        ({"documentId": f"sha256:{CARD['sha256']}", "query": 1}, "BAD_BODY"),
        ({"documentId": CARD["sha256"]}, "DOCUMENT_NOT_REGISTERED"),
        ({"documentId": ""}, "DOCUMENT_NOT_REGISTERED"),
        ({"documentId": "sha256:"}, "DOCUMENT_NOT_REGISTERED"),
        ({"documentId": "sha256:" + "0" * 64}, "DOCUMENT_NOT_REGISTERED"),
        ({"documentId": "sha256:../../etc/passwd"}, "DOCUMENT_NOT_REGISTERED"),
        ({"extensions": {"persistedQuery": {}}}, "DOCUMENT_NOT_REGISTERED"),
        ({"extensions": {"persistedQuery": {"sha256Hash": [1]}}}, "DOCUMENT_NOT_REGISTERED"),
        ({"extensions": {"persistedQuery": 1}}, "BAD_BODY"),
    ],
)
def test_what_names_no_document_is_refused(request_json: dict[str, Any], code: str) -> None:
    with pytest.raises(EdgeRefused) as refusal:
        DOCUMENTS.text_of(request_json)

    assert (refusal.value.status, refusal.value.code) == (400, code)


# --- the folder


def test_what_comes_along_is_trusted() -> None:
    documents = load_documents(SHIPPED, SCHEMA)

    assert len(documents.texts) == len(list(SHIPPED.glob("*.graphql"))) == len(list(SHIPPED.glob("*.json")))
    assert documents.texts.keys() == documents.cards.keys()
    roles = frozenset().union(*(card.roles for card in documents.cards.values()))
    assert roles == frozenset(Role)


def test_another_folder_takes_the_place_of_what_comes_along(folder: Path) -> None:
    assert load_documents(folder, SCHEMA).texts == {CARD["sha256"]: TEXT}


WRONG: dict[str, Any] = {
    "not an object": [],
    "a key too few": {name: value for name, value in CARD.items() if name != "roles"},
    "a key too many": CARD | {"url": "x"},
    "a role that there is not": CARD | {"roles": ["NURSE"]},
    "roles that are a number": CARD | {"roles": 1},
    "a purpose that there is not": CARD | {"purposes": ["CURIOSITY"]},
    "a cost in words": CARD | {"cost": "21"},
    "a cost that is true": CARD | {"cost": True},
    "no words about it": CARD | {"about": ""},
    "the digest of another": CARD | {"sha256": "0" * 64},
    "a role that its fields are closed to": CARD | {"roles": ["CLINICIAN"], "classes": ["CONDITION"]},
}


@pytest.mark.parametrize("card", WRONG.values(), ids=WRONG)
def test_a_card_that_is_wrong_is_not_loaded(folder: Path, card: object) -> None:
    (folder / "listed.json").write_text(json.dumps(card), "utf-8")

    with pytest.raises(SettingsWrong, match="TSUZURI_DOCUMENTS: listed.graphql: "):
        load_documents(folder, SCHEMA)


def test_and_the_server_does_not_start(folder: Path) -> None:
    (folder / "listed.json").unlink()

    with pytest.raises(SettingsWrong, match="TSUZURI_DOCUMENTS: listed.graphql: "):
        build_server(settings_at(folder, TSUZURI_DOCUMENTS=str(folder)), "host=/nowhere")


@pytest.mark.parametrize(
    "text",
    [b"{ nothing }", b"query A { __typename } query B { __typename }", b"{ __typename } # \xff", b""],
    ids=["of another schema", "two operations", "not UTF-8", "empty"],
)
def test_nor_is_a_document_that_cannot_run(folder: Path, text: bytes) -> None:
    (folder / "listed.graphql").write_bytes(text)

    with pytest.raises(SettingsWrong, match="TSUZURI_DOCUMENTS: listed.graphql: "):
        load_documents(folder, SCHEMA)


def test_a_folder_without_cards_or_without_documents_is_not_loaded(folder: Path) -> None:
    (folder / "listed.json").unlink()
    with pytest.raises(SettingsWrong, match="listed.json cannot be read"):
        load_documents(folder, SCHEMA)

    (folder / "listed.graphql").unlink()
    with pytest.raises(SettingsWrong, match="holds no file"):
        load_documents(folder, SCHEMA)


# --- the command


def test_a_card_is_made_from_the_document_and_then_agrees_with_it(tsuzuri: Tsuzuri, folder: Path) -> None:
    file = folder / "listed.graphql"

    made = tsuzuri("documents", "card", file, "--about", CARD["about"], "--variables", '{"first": 200}')

    assert made.code == 0, made.err
    assert json.loads(made.out) == CARD | {"roles": sorted(Role)}
    (folder / "listed.json").write_text(made.out, "utf-8")
    checked = tsuzuri("documents", "check", folder)
    assert checked.code == 0
    assert checked.out.startswith("listed.graphql: Listed for AUDITOR CLINICIAN ")
    assert checked.out.rstrip().endswith(f"costs up to 21, sha256:{CARD['sha256']}")


def test_what_differs_is_told_line_by_line(tsuzuri: Tsuzuri, folder: Path) -> None:
    (folder / "listed.json").write_text(json.dumps(CARD | {"name": "List", "cost": 1}), "utf-8")

    checked = tsuzuri("documents", "check", folder)

    assert checked.code == 1
    assert checked.out.splitlines() == [
        "listed.graphql: name is Listed, the card says List",
        "listed.graphql: it costs 6 to 1000, the card says 1",
    ]


def test_what_comes_along_agrees(tsuzuri: Tsuzuri) -> None:
    checked = tsuzuri("documents", "check")

    assert checked.code == 0, checked.out
    assert len(checked.out.splitlines()) == len(list(SHIPPED.glob("*.graphql")))


@pytest.mark.parametrize("variables", ["[]", "{", "1"])
def test_variables_are_an_object(tsuzuri: Tsuzuri, folder: Path, variables: str) -> None:
    assert tsuzuri("documents", "card", folder / "listed.graphql", "--variables", variables).code == 2


def test_a_document_that_cannot_run_has_no_card(tsuzuri: Tsuzuri, folder: Path) -> None:
    (folder / "listed.graphql").write_text("{ nothing }")

    told = tsuzuri("documents", "card", folder / "listed.graphql")

    assert (told.code, told.out) == (2, "")
    assert "Cannot query field 'nothing'" in told.err
