"""A saved question as an auditor asks it, and what she reads of the answer."""

from typing import Any

from examples import AUDITOR, DOCTOR
from world import ENTRIES, World

ASK = """query($question: AuditQuestion!, $patient: ID, $person: String, $facility: String, $document: ID,
    $from: DateTime, $to: DateTime, $at: DateTime, $minutes: Int) {
  ask(question: $question, patient: $patient, person: $person, facility: $facility, document: $document,
    from: $from, to: $to, at: $at, minutes: $minutes) {
    accessId more undecided completeUntil
    findings { since until person role patients accesses bases classes document number facility { number }
      words(language: EN) japanese: words(language: JA) }
    toTell { persons accesses first last facility { number } } } }"""
EVER = {"from": "2020-01-01T00:00:00Z", "to": "2090-01-01T00:00:00Z"}


async def ask(world: World, question: str, **parameters: Any) -> dict[str, Any]:
    world.project()
    answer: dict[str, Any] = (await world.data(AUDITOR, ASK, question=question, **parameters))["ask"]
    for one in answer["findings"]:
        assert one["words"] and one["japanese"] and one["words"] != one["japanese"]
    return answer


def accesses(answer: dict[str, Any]) -> list[str]:
    return [access for one in answer["findings"] for access in one["accesses"]]


async def entries(world: World, caller: Any = DOCTOR) -> dict[str, Any]:
    world.project()
    found: dict[str, Any] = (await world.data(caller, ENTRIES))["patientRecord"]
    return found
