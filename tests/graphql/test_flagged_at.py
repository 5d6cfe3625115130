"""Since when a mark stands: 未告知 with its date for clinicians, whichever Bundle of the facility set it."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from psycopg import Connection

from document_examples import conditions, diagnosis, html, permit, referral, sent
from examples import DOCTOR, herself
from rendering_examples import INDICATION
from tsuzuri.domain.registrations import RegisteredBundle
from world import KEY, Tell, World, tell_in

SEEN = f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
  entries(filter: {{ classes: [CONDITION] }}) {{ totalCount nodes {{ flags flaggedAt document {{ id }} }} }}
  summary {{ conditions {{ flags flaggedAt document {{ id }} }} }} }} }} }}"""
HERS = """{ me { record { entries(filter: { classes: [CONDITION] }) { totalCount nodes { flags flaggedAt } } }
  summary { conditions { flags flaggedAt } } } }"""
JUNE, JULY, AUGUST = (f"2026-0{month}-01T09:00:00+09:00" for month in (6, 7, 8))
Told = tuple[list[str], str | None]
"""Flags, and when they were set."""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def cancer(*flags: str, at: str = JUNE) -> dict[str, Any]:
    """One fact. *at*: when its sender last changed it."""
    tags = [{"system": INDICATION, "code": flag} for flag in flags]
    return diagnosis("膵癌", meta={"lastUpdated": at, "tag": tags} if tags else {"lastUpdated": at})


def said(bundle: bytes, at: str) -> bytes:
    """The Bundle with this timestamp."""
    return json.dumps(json.loads(bundle) | {"timestamp": at}, ensure_ascii=False).encode()


async def clinicians(world: World, told: RegisteredBundle | None = None) -> list[Told]:
    """What the entries say, of this Bundle alone if one is named; the summary says the same."""
    record = (await world.data(DOCTOR, SEEN))["patientRecord"]
    shown, summed = record["entries"]["nodes"], record["summary"]["conditions"]
    assert sorted(map(str, shown)) == sorted(map(str, summed))
    assert record["entries"]["totalCount"] == len(shown)
    return [
        (node["flags"], node["flaggedAt"])
        for node in shown
        if told is None or (node["document"] or {}).get("id") == str(told.document)
    ]


def utc(japan: str) -> str:
    """Nine in the morning in Japan."""
    return japan.replace("T09:00:00+09:00", "T00:00:00+00:00")


@pytest.mark.parametrize(
    ("flags", "clinician", "patient"),
    [
        ((), True, True),
        (("LTS",), True, True),
        (("UNINFORMED",), True, False),
        (("LTS", "UNINFORMED"), True, False),
        (("UNDELIVERED",), False, False),
        (("LTS", "UNDELIVERED"), False, False),
        (("UNINFORMED", "UNDELIVERED"), False, False),
        (("LTS", "UNINFORMED", "UNDELIVERED"), False, False),
    ],
    ids=lambda value: "+".join(value) or "none" if isinstance(value, tuple) else "",
)
def test_any_combination_of_flags_shows_to_each_reader_what_the_strictest_lets(
    tell: Tell, flags: Sequence[str], clinician: bool, patient: bool
) -> None:
    async def story(world: World) -> None:
        told = await sent(world, conditions(cancer(*flags)))
        await permit(world)

        hers = (await world.data(herself(told.patient), HERS))["me"]

        expected = {"flags": sorted(flags), "flaggedAt": utc(JUNE) if flags else None}
        assert await clinicians(world) == ([tuple(expected.values())] if clinician else [])
        assert hers["summary"]["conditions"] == ([expected] if patient else [])
        assert hers["record"]["entries"]["totalCount"] == patient

    tell(story)


def test_a_mark_that_comes_with_a_later_version_dates_from_then_and_one_taken_away_is_gone(
    tell: Tell,
) -> None:
    async def story(world: World) -> None:
        await sent(world, said(conditions(cancer()), JUNE))
        await permit(world)
        before = await clinicians(world)
        await sent(world, said(conditions(cancer("LTS", "UNINFORMED", at=JULY)), JULY))
        marked = await clinicians(world)
        told = await sent(world, said(conditions(cancer(at=AUGUST)), AUGUST))

        assert before == [([], None)]
        assert marked == [(["LTS", "UNINFORMED"], utc(JULY))]
        assert await clinicians(world) == [([], None)]
        assert len((await world.data(herself(told.patient), HERS))["me"]["summary"]["conditions"]) == 1

    tell(story)


@pytest.mark.parametrize("marks_first", [False, True], ids=["the mark comes last", "the mark comes first"])
def test_a_mark_that_another_bundle_sets_brings_its_date_in_either_order(
    tell: Tell, marks_first: bool
) -> None:
    async def story(world: World) -> None:
        letter = said(referral(cancer("LTS")), JUNE)
        marking = said(referral(cancer("UNINFORMED", at=JULY), local_id="ref-2"), AUGUST)
        both = [marking, letter] if marks_first else [letter, marking]
        told = {body: await sent(world, body) for body in both}
        await permit(world)

        assert await clinicians(world, told[letter]) == [(["LTS", "UNINFORMED"], utc(JULY))]
        assert await clinicians(world, told[marking]) == [(["UNINFORMED"], utc(JULY))]
        assert "未告知（2026年7月1日設定）" in await html(world, DOCTOR, told[letter])

    tell(story)


def test_what_is_said_anew_without_the_mark_has_no_date_and_what_was_said_before_keeps_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        letter = await sent(world, said(referral(cancer()), JUNE))
        await sent(world, said(referral(cancer("UNINFORMED", at=JULY), local_id="ref-2"), JULY))
        anew = await sent(world, said(referral(cancer(at=AUGUST), local_id="ref-3"), AUGUST))
        await permit(world)

        assert await clinicians(world, anew) == [([], None)]
        assert await clinicians(world, letter) == [(["UNINFORMED"], utc(JULY))]

    tell(story)


def test_a_mark_set_anew_has_the_date_of_its_last_change(tell: Tell) -> None:
    async def story(world: World) -> None:
        letter = await sent(world, said(referral(cancer()), JUNE))
        for number, at in ((2, AUGUST), (3, JULY)):
            marking = referral(cancer("UNINFORMED", at=at), local_id=f"ref-{number}")
            await sent(world, said(marking, AUGUST))
        await permit(world)

        assert await clinicians(world, letter) == [(["UNINFORMED"], utc(AUGUST))]

    tell(story)
