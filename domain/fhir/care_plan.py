"""療養計画: CarePlan."""

from tsuzuri.domain.fhir.elements import label, one_line
from tsuzuri.domain.fhir.entry import Source, detail_of, moment_of, notes, read_entry
from tsuzuri.domain.record import Entry
from tsuzuri.domain.vocabulary import RecordClass


def care_plan(source: Source, record_class: RecordClass) -> Entry:
    """It belongs to its document: there is no information class of plans."""
    resource = source.resource
    concept = next(iter(resource.elements("category")), None)
    title, description = resource.text("title"), resource.text("description")
    return read_entry(
        source,
        record_class,
        concept=concept,
        name=one_line(title) if title else label(concept),
        effective=moment_of(resource, "period", "created"),
        issued=["created"],
        authors=["author"],
        status=resource.text("status"),
        detail=detail_of(one_line(description) if description else None, *notes(resource)),
    )
