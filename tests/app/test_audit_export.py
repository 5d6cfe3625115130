"""`tsuzuri audit export`: the trail as CSV, NDJSON and FHIR AuditEvents, row by row, and in the trail itself."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from psycopg import Connection

from command_examples import Done, Tsuzuri
from conftest import shared_data
from examples import (
    AUDITOR,
    CLINIC_SYSTEM,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    NUMBER,
    OPERATOR,
    a_bundle,
    a_caller,
    herself,
)
from explained_examples import LINK
from log_examples import KEY_SETTINGS
from projection_examples import catch_up
from tsuzuri.app.actions.export_trail import export_trail
from tsuzuri.app.actions.load_trail import trail_pages
from tsuzuri.app.audit_export.lines import ExportFormat
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.trail_filter import TrailFilter
from world import CONSENT, KEY, Tell, World, tell_in

FORMULA = '=HYPERLINK("http://x.example","見る")'
SEEN = f"query Seen {{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{ entries {{ nodes {{ id }} }} }} }} }}"
LISTED = "{ accessTrail(first: 200) { nodes { id outcome person operationName position } } }"
BALP = shared_data() / "ihe" / "balp.ndjson"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


@pytest.fixture
def patient(tell: Tell) -> UUID:
    """Who was read by a doctor, by herself and by somebody whose name is a formula; a stranger was refused."""
    left: list[UUID] = []

    async def story(world: World) -> None:
        told = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle())
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        for person in ("dr-hamada", FORMULA, "-2+3", "山田\r\n太郎", "＝1+1"):
            viewer = a_caller(person, Role.CLINICIAN, HOSPITAL, session="s-1", client="chart-viewer")
            await world.data(viewer, SEEN)
        await world.data(a_caller("dr-x", Role.CLINICIAN, "1310000009"), SEEN)
        await world.data(herself(told.patient), "query Own { me { record { entries { totalCount } } } }")
        world.project()
        await world.data(AUDITOR, LISTED)
        world.project()
        left.append(told.patient)

    tell(story)
    return left[0]


@pytest.fixture
def export(patient: UUID, tsuzuri: Tsuzuri, dsn: str) -> Callable[..., Done]:
    return lambda *words: tsuzuri("audit", "export", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)


def rows_of(done: Done) -> list[dict[str, str]]:
    assert done.code == 0, done.err
    assert done.out.startswith("\ufeff"), "a spreadsheet knows it for UTF-8"
    return list(csv.DictReader(io.StringIO(done.out.removeprefix("\ufeff"), newline="")))


def lines_of(done: Done) -> list[dict[str, Any]]:
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_csv_and_ndjson_tell_every_access_once_and_the_same(export: Callable[..., Done]) -> None:
    spread, plain = rows_of(export("--format", "csv")), lines_of(export("--format", "ndjson"))

    assert len(plain) == len(spread) == 8, "the first export is not yet in the trail for the second"
    assert [row["access"] for row in spread] == [one["access"] for one in plain]
    assert [one["at"] for one in plain] == sorted(one["at"] for one in plain)
    seen = plain[0]
    assert (seen["person"], seen["facility"], seen["client"]) == ("dr-hamada", HOSPITAL, "chart-viewer")
    assert (seen["identifiedBy"], seen["consentState"], seen["emergency"]) == (
        "INSURED_PERSON",
        "GIVEN",
        False,
    )
    assert (seen["shown"], seen["entriesShown"], seen["marks"]) == (
        {"CONDITION": 1},
        1,
        ["LTS", "UNINFORMED"],
    )
    assert (spread[0]["shown"], spread[0]["emergency"]) == ("CONDITION=1", "no")
    assert Counter(one["outcome"] for one in plain) == {"PERMITTED": 6, "REFUSED": 1, "TRAIL_READ": 1}
    assert {name: one["position"] for one in plain for name in [one["access"]]} and NUMBER not in json.dumps(
        plain, ensure_ascii=False
    )


def test_no_cell_is_a_formula_and_lines_and_quotes_stay_in_theirs(export: Callable[..., Done]) -> None:
    done = export("--format", "csv")
    persons = [row["person"] for row in rows_of(done)]

    assert f"'{FORMULA}" in persons and "'-2+3" in persons and "'＝1+1" in persons
    assert "山田\r\n太郎" in persons
    for row in rows_of(done):
        assert None not in row, "as many cells as there are names"
        for cell in row.values():
            assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))


def test_a_filter_leaves_out_what_the_list_would(export: Callable[..., Done], patient: UUID) -> None:
    def persons(*words: str) -> set[str]:
        return {one["person"] for one in lines_of(export("--format", "ndjson", *words))}

    assert persons("--person", "dr-hamada") == {"dr-hamada"}
    assert persons("--outcome", "REFUSED") == {"dr-x"}
    assert persons("--patient", str(patient), "--basis", "SELF") == {"patient"}
    assert persons("--flag", "UNINFORMED", "--class", "CONDITION", "--operation", "Seen") == {
        *("dr-hamada", FORMULA, "-2+3", "山田\r\n太郎", "＝1+1")
    }
    assert persons("--facility", HOSPITAL, "--to", "2020-01-01") == set()
    assert persons("--from", "2020-01-01", "--outcome", "TRAIL_READ") == {AUDITOR.person}


def test_that_it_was_exported_is_in_the_trail_with_how_many(
    export: Callable[..., Done], patient: UUID, connection: Connection[Any]
) -> None:
    done = export("--format", "ndjson", "--patient", str(patient))
    catch_up(connection)

    (look,) = lines_of(export("--format", "ndjson", "--operation", "tsuzuri audit export"))

    assert (look["outcome"], look["role"], look["patient"]) == ("TRAIL_READ", "OPERATOR", str(patient))
    assert look["entriesShown"] == len(lines_of(done)) == 7
    assert look["person"].startswith("operator:")
    assert done.err.startswith("7 accesses; the trail is whole up to 20")


def test_nothing_is_written_when_the_look_cannot_be_recorded(
    patient: UUID, tell: Tell, connection: Connection[Any]
) -> None:
    written: list[bytes] = []

    async def story(world: World) -> None:
        connection.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM tsuzuri_writer")
        connection.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
        with pytest.raises(Exception, match="."):
            await export_trail(
                world.application.services,
                OPERATOR,
                TrailFilter(),
                ExportFormat.CSV,
                "tsuzuri",
                written.append,
            )

    tell(story)
    assert written == []


def test_pages_of_any_size_tell_the_same_in_the_same_order(patient: UUID, tell: Tell) -> None:
    async def story(world: World) -> None:
        services = world.application.services
        told = []
        for size in (1, 2, 3, 1_000):
            pages = [page async for page in trail_pages(services, [], services.now(), size=size)]
            assert all(len(page) <= size for page in pages)
            told.append([row.access for page in pages for row in page])
        assert len(told[0]) == 8 and told[1:] == [told[0]] * 3

    tell(story)


# --- FHIR


def test_each_access_is_a_valid_audit_event_of_r4(export: Callable[..., Done], patient: UUID) -> None:
    events = lines_of(export("--format", "fhir"))

    for event in events:
        AuditEvent.model_validate(event)
    assert len(events) == len({event["id"] for event in events}) == 8
    by_outcome = Counter((event["type"]["code"], event["outcome"]) for event in events)
    assert by_outcome == {("rest", "0"): 6, ("rest", "8"): 1, ("110101", "0"): 1}
    seen = events[0]
    (user,) = [agent for agent in seen["agent"] if agent["requestor"]]
    assert user["who"]["identifier"]["value"] == "dr-hamada"
    assert user["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    (whose,) = [one for one in seen["entity"] if one["type"]["code"] == "1"]
    assert whose["what"] == {"reference": f"Patient/{patient}"}
    details = {one["type"]: one["valueString"] for one in whose["detail"]}
    assert details["identifiedBy"] == "INSURED_PERSON" and details["shown"] == "CONDITION=1"
    assert details["consentState"] == "GIVEN" and details["because"]
    (refused,) = [event for event in events if event["outcome"] == "8"]
    assert "meta" not in refused and refused["outcomeDesc"] == "NOT_AVAILABLE"


def test_a_read_of_several_who_are_one_person_is_one_event_for_each(
    patient: UUID, tell: Tell, export: Callable[..., Done]
) -> None:
    twins: list[str] = []

    async def story(world: World) -> None:
        other = await world.application.register_bundle(
            CLINIC_SYSTEM, a_bundle(number="00012345:あいう:388:05", local_id="t").replace(b'"P-1"', b'"P-2"')
        )
        await world.data(OPERATOR, LINK, a=str(patient), b=str(other.patient))
        world.project()
        await world.data(a_caller("dr-late", Role.CLINICIAN, HOSPITAL), SEEN)
        world.project()
        twins.extend([str(patient), str(other.patient)])

    tell(story)

    events = lines_of(export("--format", "fhir", "--person", "dr-late"))

    named = [e["what"]["reference"] for event in events for e in event["entity"] if e["type"]["code"] == "1"]
    assert sorted(named) == sorted(f"Patient/{one}" for one in twins)
    assert len({event["id"] for event in events}) == 2
    accesses = [
        e["what"]["identifier"]["value"]
        for event in events
        for e in event["entity"]
        if e["type"]["code"] == "XrequestId"
    ]
    assert len(accesses) == 2 and len(set(accesses)) == 1


def shape(value: Any) -> set[str]:
    """Paths of what an AuditEvent holds; codes of what tells its parts apart stand in them."""
    found: set[str] = set()

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, f"{path}.{name}")
        elif isinstance(value, list):
            for one in value:
                walk(one, path + _kind(one))
        else:
            found.add(path)

    walk(value, "")
    return found


def _kind(one: Any) -> str:
    kind = one.get("type") if isinstance(one, dict) else None
    coding = kind.get("coding", [kind])[0] if isinstance(kind, dict) else None
    return f"[{coding['code']}]" if isinstance(coding, dict) and "code" in coding else "[]"


BESIDE = {
    "the network address of the client": {".agent[110153].network.address", ".agent[110153].network.type"},
    "a service that is no Device resource is named": {
        *(".agent[110152].who.reference", ".source.observer.reference")
    },
    "the published one is a test": {".meta.security[].code", ".meta.security[].system"},
}
"""What the published example has and ours has not, and why."""


def lacking(event: dict[str, Any], example: dict[str, Any]) -> set[str]:
    """What stands in the example and not in ours, by how parts are told apart; displays are words."""
    known = set().union(*BESIDE.values())
    ours, theirs = ({one for one in shape(each) if not one.endswith("display")} for each in (event, example))
    return {one for one in theirs - ours - known if not one.startswith((".id", ".text"))}


@pytest.mark.realdata
def test_a_read_has_the_shape_of_the_published_patient_query(export: Callable[..., Done]) -> None:
    if not BALP.is_file():
        pytest.skip("no published examples of BALP")
    published = [json.loads(line) for line in BALP.read_text("utf-8").splitlines()]
    (example,) = [one for one in published if one.get("id") == "ex-auditBasicQueryPost"]

    events = [event for event in lines_of(export("--format", "fhir")) if "meta" in event]

    assert len(events) == 6
    for event in events:
        assert event["meta"]["profile"] == example["meta"]["profile"]
        assert lacking(event, example) == set()
        server = next(one for one in event["agent"] if _kind(one) == "[110152]")
        assert server["who"]["display"] and event["source"]["observer"]["display"]
        for name in ("type", "action", "outcome"):
            assert _plain(event[name]) == _plain(example[name])
        for part in ("agent", "entity"):
            theirs = {_kind(one): one for one in example[part]}
            ours = {_kind(one): one for one in event[part]}
            assert theirs.keys() <= ours.keys(), "each part of the pattern is there"
            for kind, one in theirs.items():
                for name in {"role", "requestor"} & one.keys():
                    assert _plain(ours[kind][name]) == _plain(one[name])
                assert _system(ours[kind]["type"]) == _system(one["type"])
    for part in ("agent", "entity"):
        broken = events[0] | {part: events[0][part][1:]}
        assert lacking(broken, example), "one that lacks a part is noticed"


def _plain(value: Any) -> Any:
    return (
        {name: one for name, one in value.items() if name != "display"} if isinstance(value, dict) else value
    )


def _system(kind: dict[str, Any]) -> str:
    coding: dict[str, str] = kind["coding"][0] if "coding" in kind else kind
    return coding["system"]
