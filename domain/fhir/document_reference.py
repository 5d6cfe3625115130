"""What a document attaches: DocumentReference and Binary."""

from dataclasses import dataclass
from datetime import datetime

from tsuzuri.domain.fhir.elements import Element, label, one_line
from tsuzuri.domain.fhir.entry import NAMELESS, Source, moment_of, read_entry
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.record import Attachment, Entry
from tsuzuri.domain.vocabulary import RecordClass


def document_reference(source: Source, record_class: RecordClass) -> Entry:
    """An entry of its document. Its files are told by `attachments`."""
    resource = source.resource
    concept = resource.element("type")
    kind, description = concept.text("text") if concept else None, resource.text("description")
    name = kind or description
    return read_entry(
        source,
        record_class,
        concept=concept,
        name=one_line(name) if name else None,
        effective=_effective(resource),
        issued=["date"],
        authors=["author"],
        status=resource.text("status"),
        detail=one_line(description) if description and kind else None,
    )


def _effective(resource: Element) -> tuple[str | None, datetime | None]:
    """The period of care it tells of, else its own date."""
    context = resource.element("context")
    told = moment_of(context, "period") if context else (None, None)
    return told if told[0] else moment_of(resource, "date")


@dataclass(frozen=True)
class File:
    """An attachment, and the element whose `data` would be its bytes."""

    attachment: Attachment
    holder: Element


def files(resources: list[Element], references: References) -> list[File]:
    """Every file, in the Bundle's order. One that lies in a Binary of the Bundle is told once, at the Binary."""
    places = {resource.place: index for index, resource in enumerate(resources)}
    found, told = list[File](), set[str]()
    for index, resource in enumerate(resources):
        if resource.text("resourceType") != "DocumentReference":
            continue
        for content in resource.elements("content"):
            attachment = content.element("attachment")
            if attachment is None:
                continue
            binary = references.named(attachment.text("url") or "")
            if binary:
                told.add(binary.place)
            place = places[binary.place] if binary else index
            found.append(
                File(_attachment(attachment, place, _title(attachment, resource)), binary or attachment)
            )
    for index, resource in enumerate(resources):
        if resource.text("resourceType") == "Binary" and resource.place not in told:
            found.append(File(_attachment(resource, index, NAMELESS), resource))
    return sorted(found, key=lambda file: file.attachment.resource_place)


def attachments(resources: list[Element], references: References) -> tuple[Attachment, ...]:
    return tuple(file.attachment for file in files(resources, references))


def _title(attachment: Element, resource: Element) -> str:
    title = attachment.text("title") or resource.text("description") or label(resource.element("type"))
    return one_line(title) if title else NAMELESS


def _attachment(holder: Element, place: int, title: str) -> Attachment:
    return Attachment(title=title, content_type=holder.text("contentType"), resource_place=place)
