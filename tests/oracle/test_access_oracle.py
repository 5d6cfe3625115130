"""On every access two agree that were written apart: our decision, and tests/oracle/access.py from the rules' text."""

import ast
import os
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from examples import NOON
from oracle import access
from oracle.access import Request, evaluate
from oracle.access_broken import BROKEN
from oracle.access_cases import (
    A_MICROSECOND,
    BASES,
    CALLERS,
    CONSENT,
    LETTERS,
    SITUATIONS,
    STATES,
    History,
    a_request,
    an_event,
    requests,
)
from oracle.access_compared import CELLS, compared, decided, folded, in_our_words
from oracle.access_histories import READS, compared_at_random
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.vocabulary import PurposeOfUse, RefusalReason

HISTORIES = 1_000  # of the 10,000 of `make torture`


def test_the_oracle_knows_nothing_of_ours_but_the_events_and_their_words() -> None:
    tree = ast.parse(Path(access.__file__).read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}

    ours = {one for one in modules | imported if one.startswith(("tsuzuri", "oracle"))}
    assert ours == {"tsuzuri.domain.events", "tsuzuri.domain.vocabulary"}


def test_they_agree_on_the_whole_product() -> None:
    found = compared()

    print(f"{found.reads:,} reads, {found.permitted:,} of them permitted, {found.cells:,} cells")
    assert found.faults == []
    assert found.reads == len(SITUATIONS) * len(STATES) * len(list(requests(False)))
    assert found.cells == found.reads * CELLS >= 20_000
    assert found.permitted > 10_000


def test_they_agree_on_random_histories_at_the_moments_at_which_something_begins_or_ends() -> None:
    print(f"seed {(seed := int.from_bytes(os.urandom(4)))}")

    found = compared_at_random(HISTORIES, Random(seed))

    assert found.faults == []
    assert found.reads == HISTORIES * READS and found.permitted > HISTORIES // 10


@pytest.mark.parametrize("rule", BROKEN)
def test_a_changed_rule_is_noticed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BROKEN[rule](monkeypatch)

    assert compared(only=may_be_permitted, until_first_fault=True).faults


def may_be_permitted(request: Request) -> bool:
    return request.purpose in access.PURPOSES.get(request.role, ()) or request.purpose is PurposeOfUse.HPAYMT


# --- where the text can be read in two ways


def test_rights_granted_by_two_scopes_add_up() -> None:
    """The text asks for r and s, and does not say whether of one scope."""
    history = BASES["consent"]
    request = a_request(CALLERS["CLINICIAN"], PurposeOfUse.TREAT, ("user/*.r", "user/*.s"), False)

    assert isinstance(decided(in_our_words(request), folded(history, request)), Permitted)
    assert evaluate(request, history.patient, (), ()).openings


def test_a_consent_that_begins_later_makes_us_forget_what_is_over_by_then() -> None:
    """No command gives one: a consent begins when it is recorded. Were one to, ours would show less than it may."""
    later = replace(LETTERS, event_id=an_event(60), since=CONSENT.until, until=CONSENT.until + A_MICROSECOND)
    history = History(patient=(CONSENT, later))
    request = a_request(CALLERS["CLINICIAN"], PurposeOfUse.TREAT, ("user/*.rs",), False, NOON)

    ours = decided(in_our_words(request), folded(history, request))

    assert isinstance(ours, Refused) and ours.reason is RefusalReason.NOT_AVAILABLE
    assert evaluate(request, history.patient, (), ()).openings
