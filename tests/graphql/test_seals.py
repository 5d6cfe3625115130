"""A token opens as it was given out, for what it was given out for, and in no other way."""

import pytest

from tsuzuri.graphql.seals import SealBroken, Seals

SEALS = Seals(b"\0" * 32)
USE, VALUE = "entries/somebody", ["2026-01-01T00:00:00+00:00", "an entry"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
TOKENS = [SEALS.seal(USE, VALUE, length=length) for length in (64, 65, 66)]


def opens(token: str, use: str = USE) -> bool:
    try:
        return bool(SEALS.open(use, token) == VALUE)
    except SealBroken:
        return False


def test_a_token_opens_for_its_use_and_no_other() -> None:
    assert all(opens(token) for token in TOKENS)
    assert not any(opens(token, "documents/somebody") or opens(token, "entries/another") for token in TOKENS)


@pytest.mark.parametrize("token", TOKENS, ids=["64 bytes", "65 bytes", "66 bytes"])
def test_no_other_text_is_taken_for_it(token: str) -> None:
    """Also none that a decoder of base64 reads as the same bytes: whether it was changed would not show."""
    last = [token[:-1] + letter for letter in LETTERS if letter != token[-1]]
    between = [token[:at] + mark + token[at:] for at in (0, 20, len(token)) for mark in "\n =!.\u00e9"]
    shorter = [token[:at] for at in range(len(token))]
    plain = [token.replace("-", "+").replace("_", "/")] if {*token} & {*"-_"} else []

    assert [one for one in (*last, *between, *shorter, *plain, token + "==") if opens(one)] == []


def test_tokens_of_every_rest_are_tried() -> None:
    assert {len(token) % 4 for token in TOKENS} == {0, 2, 3}
