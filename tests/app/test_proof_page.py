"""The proof that docs/API.md shows how to make is one that counts."""

import re
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from proof_examples import ANOTHERS, BOUND, KEY
from tsuzuri.app.proofs import LEEWAY_SECONDS, PROOF_SECONDS, check_proof
from tsuzuri.app.signed import HEADER_BYTES_MAX, SIGNED_BYTES_MAX, TokenRefused

PAGE = (Path(__file__).parents[2] / "docs" / "API.md").read_text("utf-8")
SECTION = PAGE.partition("## A facility's system proves its key")[2].partition("\n## ")[0]


def shown(key: ECKey) -> tuple[str, str]:
    """The proof of the page's own lines, and the address that they ask."""
    (lines,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    names: dict[str, Any] = {
        "ECKey": ECKey,
        "jwt": jwt,
        "sha256": sha256,
        "time": time,
        "urlsafe_b64encode": urlsafe_b64encode,
        "uuid4": uuid4,
        "key": key,
        "token": BOUND,
    }
    exec(lines, names)
    assert names["headers"]["Authorization"] == f"DPoP {BOUND}"
    return names["headers"]["DPoP"], names["address"]


def test_the_proof_on_the_page_counts_and_no_other_keys_does() -> None:
    made, address = shown(KEY)

    def checked(proof: str) -> object:
        return check_proof(
            [proof], token=BOUND, jkt=KEY.thumbprint(), method="POST", address=address, now=time.time()
        )

    assert checked(made) != checked(shown(KEY)[0])
    with pytest.raises(TokenRefused):
        checked(shown(ANOTHERS)[0])


def test_the_page_says_the_limits_that_hold() -> None:
    assert f"at most {PROOF_SECONDS} ago, and at most {LEEWAY_SECONDS} ahead" in SECTION
    assert f"{SIGNED_BYTES_MAX // 1_024} KB, or {HEADER_BYTES_MAX // 1_024} KB of header" in SECTION.replace(
        "\n", " "
    )
