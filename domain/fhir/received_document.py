"""A document Bundle opened again, to be shown. It was checked when it was taken in; R4B is not asked a second time."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tsuzuri.domain.attachments import AttachedFile, media_type
from tsuzuri.domain.fhir.bundle import entry_of
from tsuzuri.domain.fhir.composition import document_kind, read_document, the_composition
from tsuzuri.domain.fhir.document_reference import files
from tsuzuri.domain.fhir.elements import Element
from tsuzuri.domain.fhir.entry import Source
from tsuzuri.domain.fhir.heading import heading
from tsuzuri.domain.fhir.patient import the_patient
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.record import Document, Entry
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, HIDING_FLAGS, Flag


@dataclass(frozen=True)
class ReceivedDocument:
    """The parts of a document, each by its place in Bundle.entry."""

    tree: dict[str, Any]
    document: Document
    composition: Element
    patient: Element
    resources: list[Element]
    places: dict[str, int]  # of the resources, by where they stand in the JSON
    references: References

    def entry(self, place: int) -> Entry | None:
        """What was taken out of one resource; None when nothing is taken out of its kind."""
        if not 0 <= place < len(self.resources):
            return None
        document_class = DOCUMENT_CLASSES.get(self.document.kind)
        resource, facility = self.resources[place], self.document.facility
        return entry_of(Source(resource, place, self.references, document_class, facility, []))

    def place_of(self, resource: Element) -> int | None:
        """None for what is no entry of the Bundle: it is contained in one."""
        return self.places.get(resource.place)

    def file(self, number: int) -> AttachedFile | None:
        """The bytes of the *number*-th attachment, counted from 1; None when the Bundle does not hold them."""
        found = files(self.resources, self.references)
        if not 1 <= number <= len(found):
            return None
        file = found[number - 1]
        data = file.holder.data.get("data")  # intake has not looked at it: it may be anything
        if not isinstance(data, str):
            return None
        try:
            return AttachedFile(b64decode(data), media_type(file.attachment.content_type))
        except ValueError:
            return None

    def marks(self) -> frozenset[Flag]:
        """The marks that hide something, wherever in the Bundle: on entries, inside of them, on what is neither.

        Any text that holds the word counts. Where intake has not looked, a mark may be written in ways that only
        the shape check lets pass; and too few words shown harm less than one too many.
        """
        return frozenset(flag for text in _texts(self.tree) for flag in HIDING_FLAGS if flag in text)


def open_document(received: bytes) -> ReceivedDocument:
    """Bytes that `read_bundle` has taken as a document.

    Raises:
        BundleRejected: it would not be taken any more.
    """
    tree = json.loads(received, parse_float=Decimal)
    bundle = Element(tree, "Bundle")
    entries = bundle.elements("entry")
    resources = [resource for entry in entries if (resource := entry.element("resource"))]
    urls = [entry.text("fullUrl") for entry in entries]
    references = References(zip(urls, resources, strict=True))
    composition = the_composition(resources, [])
    document = read_document(
        composition, document_kind(composition), heading(bundle), resources, references, []
    )
    return ReceivedDocument(
        tree=tree,
        document=document,
        composition=composition,
        patient=the_patient(resources),
        resources=resources,
        places={resource.place: place for place, resource in enumerate(resources)},
        references=references,
    )


def _texts(tree: dict[str, Any]) -> Iterator[str]:
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
