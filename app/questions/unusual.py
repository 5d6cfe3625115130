"""What the rules for unusual access find, one rule at a time. Nothing is stored: `reviews find` opens reviews."""

from datetime import datetime

from tsuzuri.app.actions.find_unusual import judged_within
from tsuzuri.app.services import Services
from tsuzuri.domain.answers import Answered, Finding, answered
from tsuzuri.domain.questions import Asked, Question
from tsuzuri.domain.unusual_found import UnusualAccess
from tsuzuri.domain.unusual_rules import NEWEST, UnusualRule, rules_named
from tsuzuri.domain.vocabulary import Language

RULES = {
    Question.EMERGENCY_WITHOUT_ENCOUNTER: UnusualRule.NO_ENCOUNTER,
    Question.MANY_PATIENTS: UnusualRule.MANY_PATIENTS,
    Question.OWN_FAMILY_NAME: UnusualRule.OWN_FAMILY_NAME,
    Question.OFF_HOURS: UnusualRule.OFF_HOURS,
}


async def unusual(services: Services, asked: Asked, complete_until: datetime) -> Answered:
    """Up to where it can be judged: an encounter may be registered days later. Without a period, the last days."""
    judged = await judged_within(services, rules_named(NEWEST), asked.since, asked.until)
    found = (
        _finding(one)
        for one in judged.found
        if one.rule is RULES[asked.question]
        and asked.person in (None, one.person)
        and asked.facility in (None, one.facility)
    )
    return answered(found, min(judged.until, complete_until), undecided=len(judged.erased))


def _finding(one: UnusualAccess) -> Finding:
    return Finding(
        since=one.since,
        until=one.until,
        person=one.person,
        role=one.role,
        facility=one.facility,
        patients=one.patients,
        accesses=one.accesses,
        number=len(one.accesses),
        says={Language.EN: one.says, Language.JA: one.says_ja},
    )
