"""`tsuzuri audit ask` and `questions`: what the operator at the machine reads, and that she is in the trail for it."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from command_examples import Done, Tsuzuri
from examples import AUDITOR, CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, a_bundle
from log_examples import KEY_SETTINGS
from tsuzuri.domain.questions import CATALOGUE
from world import CANCEL, CONSENT, Tell, World, tell_in

TRAIL = """{ accessTrail(filter: { operation: "tsuzuri audit ask" }) {
  nodes { person role patient entriesShown } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


@pytest.fixture
def ask(tsuzuri: Tsuzuri, dsn: str) -> Callable[..., Done]:
    return lambda *words: tsuzuri("audit", "ask", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)


@pytest.fixture
def patient(tell: Tell) -> UUID:
    """Whom the hospital's doctor has read; what he saw was cancelled then."""
    left: list[UUID] = []

    async def story(world: World) -> None:
        left.append((await world.application.register_bundle(CLINIC_SYSTEM, a_bundle())).patient)
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        await world.record(DOCTOR)
        await world.data(CLINIC_SYSTEM, CANCEL)
        world.project()

    tell(story)
    return left[0]


def test_the_questions_are_listed_with_what_they_need(tsuzuri: Tsuzuri) -> None:
    english, japanese = tsuzuri("audit", "questions"), tsuzuri("audit", "questions", "--language", "ja")

    for saved in CATALOGUE.values():
        assert f"{saved.name}  " in english.out
        assert all(
            words in done.out
            for words, done in zip(
                (saved.words[one] for one in reversed(list(saved.words))), (japanese, english), strict=True
            )
        )
    assert "SEEN_AT  --person --at [--minutes] [--facility]" in english.out


def test_who_saw_and_whom_to_tell_in_either_language_and_as_json(
    ask: Callable[..., Done], patient: UUID
) -> None:
    english = ask("superseded_seen", "--patient", str(patient))
    japanese = ask("SUPERSEDED_SEEN", "--patient", str(patient), "--language", "ja")
    machine = json.loads(ask("SUPERSEDED_SEEN", "--patient", str(patient), "--json").out)

    seen, told = english.out.splitlines()
    assert "dr-hamada  1319876543  Shown: condition, while a version stood that facility" in seen
    assert told.startswith(f"tell {HOSPITAL}: dr-hamada (1 accesses, ")
    assert "取消した版が有効な間に、傷病名が表示されました" in japanese.out
    assert english.err.startswith("1 found up to ")
    (found,), (tell,) = machine["findings"], machine["toTell"]
    assert (found["person"], found["patients"], set(found["words"])) == (
        "dr-hamada",
        [str(patient)],
        {"en", "ja"},
    )
    assert (tell["facility"], tell["persons"], machine["more"]) == (HOSPITAL, ["dr-hamada"], False)
    assert NUMBER not in english.out + japanese.out + str(machine)


def test_each_asking_is_in_the_trail_with_who_ran_the_command(
    ask: Callable[..., Done], patient: UUID, tell: Tell
) -> None:
    assert ask("WHO_SAW", "--patient", str(patient), "--from", "2020-01-01").code == 0
    assert ask("WITHOUT_BASIS", "--from", "2020-01-01", "--to", "2090-01-01").out == ""

    async def story(world: World) -> None:
        world.project()
        second, first = (await world.data(AUDITOR, TRAIL))["accessTrail"]["nodes"]
        assert (first["role"], first["patient"], first["entriesShown"]) == ("OPERATOR", str(patient), 1)
        assert (second["patient"], second["entriesShown"]) == (None, 0)
        assert first["person"].startswith("operator:")

    tell(story)


def test_what_is_not_fit_is_told_in_a_line_and_asks_nothing(ask: Callable[..., Done], patient: UUID) -> None:
    lacking, beside = ask("WHO_SAW"), ask("WHO_SAW", "--patient", str(patient), "--minutes", "3")
    unknown, ahead = ask("WHO_LOOKED"), ask("SEEN_AT", "--person", "x", "--at", "2090-01-01")
    wrong = ask("WHO_SAW", "--patient", str(patient), "--facility", "12")

    assert [one.code for one in (lacking, beside, unknown, ahead, wrong)] == [2] * 5
    assert lacking.err == "tsuzuri: WHO_SAW asks for patient: say that too\n"
    assert beside.err == "tsuzuri: WHO_SAW does not ask for minutes: leave that out\n"
    assert "10 digits" in wrong.err
