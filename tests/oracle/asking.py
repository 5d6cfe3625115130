"""Lives brought into an application, their summaries asked of GraphQL, and each line of them compared with the fold."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from examples import DOCTOR, HOSPITAL, a_caller, herself
from oracle.received import HIDING, Json
from oracle.summary import CLASSES, Act, Cancelled, Key, Line, Rules, Sent, key_of, summary
from tsuzuri.app.actions.correct_bundle import cancel_bundle, restore_bundle
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Role
from world import World

_FIELDS = """fragment Line on Entry { recordClass name codings { system code display } effective effectiveAt status
  verification flags flaggedAt value { text number comparator unit } interpretation referenceRange { low high } ended
  resourceType documentId documentKind author department facility { number } registeredBy { number } }"""
_SUMMARY = "summary { " + " ".join(f"{name} {{ ...Line }}" for name in CLASSES) + " }"
CLINICIANS = f"""query Summary($patient: ID!) {{ patientRecord(patient: {{ id: $patient }}) {{ ... on PatientRecord {{
  incomplete {_SUMMARY} }} }} }} {_FIELDS}"""
HERS = f"query Summary {{ me {{ record {{ incomplete }} {_SUMMARY} }} }} {_FIELDS}"
GRANT = f"""mutation($patient: ID!) {{ grantConsent(patient: {{ id: $patient }}, facility: "{HOSPITAL}",
  until: "2090-01-01T00:00:00+09:00", classes: [{", ".join(RecordClass)}]) }}"""


@dataclass
class Life:
    """One patient: what is done about her, in order, and what became of it. Times of arrival come as it arrives."""

    name: str
    acts: Sequence[Act]
    patient: UUID | None = None
    arrived: list[Act] = field(default_factory=list)
    documents: dict[str, Key] = field(default_factory=dict)  # by our id


async def live(world: World, lives: Sequence[Life]) -> None:
    """Everything about everybody arrives; the index has it afterwards, and the hospital may see all of it."""
    for one in lives:
        for act in one.acts:
            await _arrives(world.application.services, one, act)
        await world.data(herself(one.patient), GRANT, patient=str(one.patient))  # type: ignore[arg-type]  # she has a Bundle
    world.project()


async def _arrives(services: Services, life: Life, act: Act) -> None:
    if isinstance(act, Sent):
        system = a_caller(person="emr", role=Role.SYSTEM, facility=act.facility)
        arrived = replace(act, at=datetime.now(UTC))
        told = await register_bundle(services, system, act.body)
        assert life.patient in (None, told.patient), f"{life.name}: a Bundle went to somebody else"
        life.patient = told.patient
        life.documents[str(told.document)] = key_of(act)
        life.arrived.append(arrived)
        return
    facility, name, value, kind = act.key
    system = a_caller(person="emr", role=Role.SYSTEM, facility=facility)
    correct = cancel_bundle if isinstance(act, Cancelled) else restore_bundle
    assert life.patient is not None
    await correct(services, system, life.patient, name, value, DocumentKind(kind), "誤り")
    life.arrived.append(act)


@dataclass(frozen=True)
class Shown:
    """A summary as GraphQL tells it: whose, to whom, and to a look at what time."""

    life: Life
    hers: bool  # to the patient; else to a clinician who may see all
    at: datetime
    summary: dict[str, list[dict[str, Any]]]


async def asked(world: World, lives: Sequence[Life], now: datetime) -> list[Shown]:
    """Everybody's summary, to a clinician and to herself; both look at *now*."""
    object.__setattr__(world.application.services, "now", lambda: now)
    found: list[Shown] = []
    for life in lives:
        assert life.patient is not None
        seen = (await world.data(DOCTOR, CLINICIANS, patient=str(life.patient)))["patientRecord"]
        own = (await world.data(herself(life.patient), HERS))["me"]
        assert not seen["incomplete"] and not own["record"]["incomplete"]
        found += [Shown(life, False, now, seen["summary"]), Shown(life, True, now, own["summary"])]
    return found


@dataclass
class Compared:
    """How many lines the fold expects, and what GraphQL tells otherwise, one sentence each."""

    lines: int = 0
    faults: list[str] = field(default_factory=list)


def compared(answers: Sequence[Shown], rules: Rules | None = None) -> Compared:
    found = Compared()
    for shown in answers:
        expected = summary(shown.life.arrived, herself=shown.hers, now=shown.at, rules=rules)
        for name, record_class in CLASSES.items():
            told = shown.summary[name]
            found.lines += len(expected[name])
            faults = _unlike(expected[name], [_as_told(one, record_class, shown.life) for one in told])
            if not _newest_first(told):
                faults.append("not newest first")
            reader = "herself" if shown.hers else "a clinician"
            found.faults += [f"{shown.life.name}, {name}, to {reader}: {fault}" for fault in faults]
    return found


def _text(line: Line) -> str:
    told = {
        **line.told,
        "flaggedAt": _utc(line.told["flaggedAt"]),
        "moment": _utc(line.moment),
        "key": line.key,
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _as_told(entry: dict[str, Any], record_class: str, life: Life) -> Json:
    assert entry["recordClass"] == record_class
    told = {
        name: value
        for name, value in entry.items()
        if name not in ("recordClass", "documentId", "effectiveAt")
    }
    if (value := told["value"]) is not None:
        measured = value["number"] is not None
        told["value"] = {
            name: value[name] for name in (("number", "comparator", "unit") if measured else ("text",))
        }
    told["flags"] = [flag for flag in ("LTS", *HIDING) if flag in entry["flags"]]
    told["flaggedAt"], told["moment"] = (
        _utc(datetime.fromisoformat(at) if (at := entry[name]) else None)
        for name in ("flaggedAt", "effectiveAt")
    )
    return told | {"key": life.documents[entry["documentId"]]}


def _utc(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _unlike(expected: Sequence[Line], found: Sequence[Json]) -> list[str]:
    """One sentence for each line that is on one side only, with what tells the two apart where one resembles it."""
    more = [json.dumps(line, ensure_ascii=False, sort_keys=True) for line in found]
    missing: list[Line] = []
    for line in sorted(expected, key=lambda one: len(one.instead)):
        taken = next((text for text in map(_text, (line, *line.instead)) if text in more), None)
        if taken is None:
            missing.append(line)
        else:
            more.remove(taken)
    faults = []
    others = [json.loads(text) for text in more]
    for line in (json.loads(_text(one)) for one in missing):
        twin = next(
            (each for each in others if (each["name"], each["key"]) == (line["name"], line["key"])), None
        )
        if twin is None:
            faults.append(f"{line['name']} of {line['key'][2]} is missing")
            continue
        others.remove(twin)
        apart = {name: (line[name], twin[name]) for name in line if line[name] != twin[name]}
        faults.append(f"{line['name']} of {line['key'][2]}: {apart}")
    return faults + [f"{line['name']} of {line['key'][2]} is shown besides" for line in others]


def _newest_first(entries: Sequence[Mapping[str, Any]]) -> bool:
    times = [entry["effectiveAt"] for entry in entries if entry["effectiveAt"]]
    return all(former >= later for former, later in pairwise(times))
