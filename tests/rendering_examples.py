"""A referral whose sections say what a test is about, and the page that one reader gets of it."""

import json
import re
from typing import Any

from examples import NOON
from fhir_examples import Json, a_document, a_resource
from tsuzuri.domain.fhir.bundle import read_bundle
from tsuzuri.domain.fhir.received_document import ReceivedDocument, open_document
from tsuzuri.domain.rendering.document import Marks, Shown, render

SECTIONS = "http://jpfhir.jp/fhir/clins/CodeSystem/document-section"
INDICATION = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"
WORDS = "送信者の文章"


def a_section(code: str, *entries: str, words: str | None = None, **changes: Any) -> Json:
    section: Json = {"title": f"題{code}", "code": {"coding": [{"system": SECTIONS, "code": code}]}}
    section["entry"] = [{"reference": reference} for reference in entries]
    if words is not None:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'
        section["text"] = {"status": "additional", "div": div}
    return section | changes


def marked(flag: str, **changes: Any) -> Json:
    """Of a resource: a mark, set on the second of January in Japan."""
    tag = {"system": INDICATION, "code": flag}
    return {"meta": {"lastUpdated": "2026-01-02T08:00:00+09:00", "tag": [tag]}} | changes


def a_diagnosis(identity: str, name: str, **changes: Any) -> Json:
    return a_resource("Condition", id=identity, code={"text": name}) | changes


def a_referral(*resources: Json, sections: list[Json], code: str = "57133-1", **composition: Any) -> Json:
    return a_document(*resources, code=code, composition={"section": sections, **composition})


def received(bundle: Json) -> ReceivedDocument:
    """As it is opened after intake has taken it."""
    body = json.dumps(bundle, ensure_ascii=False).encode()
    read_bundle(body)
    return open_document(body)


def everything(document: ReceivedDocument) -> dict[int, Marks]:
    found = {place: document.entry(place) for place in range(len(document.resources))}
    return {place: Marks(entry.flags, entry.flagged_at) for place, entry in found.items() if entry}


def page(bundle: Json, *, words: bool = True, hidden: set[str] | None = None) -> str:
    """The page for a reader who may see all entries but those named *hidden*."""
    document = received(bundle)
    seen = everything(document)
    for place in list(seen):
        entry = document.entry(place)
        if entry and entry.name in (hidden or ()):
            del seen[place]
    return render(document, Shown(entries=seen, words=words, registered_at=NOON, registered_by="見本診療所"))


def headings(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)
