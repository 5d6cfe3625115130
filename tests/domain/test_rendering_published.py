"""Each kind of published document as a page, read where it lies: nothing of its entries is lost."""

import os
import re
from html import escape
from pathlib import Path

import pytest
from msgspec.structs import replace

from examples import NOON
from rendering_examples import everything, headings
from tsuzuri.domain.fhir.bundle import read_bundle
from tsuzuri.domain.fhir.received_document import open_document
from tsuzuri.domain.rendering.document import Shown, render

DATA = Path(os.environ.get("TSUZURI_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="no shared data"),
]

HEADINGS = {
    "jp-clins-1.5.2/Bundle-Bundle-CLINS-Referral-Example-01.json": [
        *(
            "紹介先",
            "紹介元",
            "紹介目的",
            "傷病名・主訴",
            "現病歴",
            "既往歴",
            "アレルギー・不耐性反応",
            "感染症情報",
        ),
        *("身体所見", "臨床経過", "家族歴"),
    ],
    "jp-ereferral-0.9/Bundle-bundleReferralExample01.json": [
        *(
            "紹介先",
            "紹介元",
            "紹介目的",
            "傷病名・主訴",
            "現病歴",
            "既往歴",
            "アレルギー・不耐性反応",
            "感染症情報",
        ),
        *("投薬指示", "身体所見", "臨床経過", "家族歴"),
    ],
    "clinosim-jp/seed-20240701-documents/discharge-01.json": [
        *("入院理由", "主訴", "入院時詳細", "入院時診断", "退院時診断", "退院時詳細", "現病歴", "入院中経過"),
        *("退院時投薬指示", "退院時方針指示", "その他の項目"),
    ],
    "jp-echeckup-1.5.0/Bundle-Bundle-eCheckupReport-Sample-02-GroupItems.json": [
        *("特定健診 検査結果", "特定健診 問診結果", "その他の項目"),
    ],
    "jp-clins-1.5.2/Bundle-Bundle-CLINS-PCS-Example-01.json": ["計画サマリー"],
}


@pytest.mark.parametrize("name", HEADINGS)
def test_each_kind_is_told_in_its_order_with_all_of_its_entries(name: str) -> None:
    document = open_document((DATA / name).read_bytes())
    seen = everything(document)

    html = render(document, Shown(entries=seen, words=True, registered_at=NOON, registered_by="見本"))

    assert headings(html) == HEADINGS[name]
    for place in seen:
        entry = document.entry(place)
        assert entry and f"<td>{escape(entry.name)}</td>" in html
    assert not re.search(r"<script|href=|src=|None|BundleRejected", html)


@pytest.mark.parametrize("name", HEADINGS)
def test_an_entry_read_again_is_the_entry_that_was_read_at_intake(name: str) -> None:
    received = (DATA / name).read_bytes()
    document = open_document(received)
    reading = read_bundle(received)

    assert document.document == reading.document
    for entry in reading.entries:
        again = document.entry(entry.resource_place)
        assert again and replace(again, key=entry.key) == entry


@pytest.mark.parametrize("name", HEADINGS)
def test_to_whom_no_entry_is_shown_only_head_parties_and_foot_are(name: str) -> None:
    document = open_document((DATA / name).read_bytes())

    html = render(document, Shown(entries={}, words=False, registered_at=NOON, registered_by="見本"))

    assert "<table>" not in html and 'class="words"' not in html
    assert set(headings(html)) <= {"紹介先", "紹介元", "紹介目的", "入院時詳細", "退院時詳細"}
