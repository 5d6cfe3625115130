"""What every entry has in common, whichever resource it comes from."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from tsuzuri.domain.fhir.elements import Element, code_of, codings, label, one_line, system_of
from tsuzuri.domain.fhir.people import department_of, first_name, own_facility
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.record import Coding, Entry
from tsuzuri.domain.vocabulary import HIDING_FLAGS, Flag, RecordClass

_FLAG_SYSTEM = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"
_RESOURCE_IDENTIFIER = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
_KEY_CHARACTERS = 20  # 80 bits, among at most a few thousand entries
_as_json = json.JSONEncoder(ensure_ascii=False).encode
NAMELESS = "（名称なし）"


@dataclass(frozen=True)
class Source:
    """One resource of the Bundle, and what its reader needs to know of the rest."""

    resource: Element
    resource_place: int  # index in Bundle.entry
    references: References
    document_class: RecordClass | None  # None in a collection, which has no class of its own
    facility: str  # who registers the Bundle
    warnings: list[str]

    @property
    def resource_type(self) -> str:
        return self.resource.text("resourceType") or ""


def read_entry(
    source: Source,
    record_class: RecordClass,
    *,
    concept: Element | None,
    name: str | None = None,
    effective: tuple[str | None, datetime | None] = (None, None),
    issued: Iterable[str] = (),
    authors: Iterable[str] = (),
    status: str | None = None,
    verification: str | None = None,
    ended: tuple[str | None, datetime | None] = (None, None),
    detail: str | None = None,
) -> Entry:
    """The entry, but for a value. `concept` codes and names it; `name` goes before the concept's own label.

    `issued` and `authors`: elements to look into, best first. meta.lastUpdated is the last resort of `issued`.
    """
    resource = source.resource
    if resource.has("modifierExtension"):
        source.warnings.append(f"modifier-extension-not-understood: {source.resource_type}")
    flags = _flags(source)
    codes = codings(concept)
    meta = resource.element("meta")
    updated = meta.moment("lastUpdated") if meta else None
    candidates = (reference for key in authors for reference in resource.elements(key))
    shown = name or label(concept) or NAMELESS
    identifier = _resource_identifier(resource)
    return Entry(
        key=_key(record_class, identifier, codes, shown, effective[0]),
        record_class=record_class,
        resource_type=source.resource_type,
        resource_place=source.resource_place,
        source=identifier,
        name=shown,
        codings=codes,
        effective=effective[0],
        effective_at=effective[1],
        issued_at=next((at for at in map(resource.moment, issued) if at), updated),
        facility=own_facility(resource) or source.facility,
        department=department_of(resource),
        author=first_name(candidates, resource, source.references),
        status=status,
        verification=verification,
        flags=flags,
        flagged_at=updated if flags else None,
        ended=ended[0],
        ended_at=ended[1],
        detail=detail,
    )


def numbered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Tell equals apart: the second entry of one key gets a key of its own, and so on, in the Bundle's order."""
    seen: Counter[str] = Counter()
    told = []
    for entry in entries:
        seen[entry.key] += 1
        nth = seen[entry.key]
        told.append(entry if nth == 1 else replace(entry, key=_digest([entry.key, nth])))
    return tuple(told)


def _key(
    record_class: RecordClass,
    identifier: str | None,
    codes: tuple[Coding, ...],
    name: str,
    effective: str | None,
) -> str:
    """From what stays when a Bundle is sent again. The identifier alone won't do: senders share it between results."""
    named = sorted((coding.system, coding.code) for coding in codes) or name
    return _digest([record_class, identifier, named, effective])


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(_as_json(parts).encode()).hexdigest()[:_KEY_CHARACTERS]


def _resource_identifier(resource: Element) -> str | None:
    found = (i for i in resource.elements("identifier") if system_of(i) == _RESOURCE_IDENTIFIER)
    return next((i.text("value") for i in found), None)


def _flags(source: Source) -> tuple[Flag, ...]:
    """The marks of meta.tag. What might hide something is never passed over.

    Raises:
        BundleRejected: a code of the flag system that is none of its codes.
    """
    meta = source.resource.element("meta")
    flags = []
    for tag in meta.elements("tag") if meta else []:
        code = tag.text("code")
        flag = Flag.__members__.get(code or "")
        if system_of(tag) == _FLAG_SYSTEM:
            if flag is None:
                raise BundleRejected(f"{tag.place}.code", f"must be one of {', '.join(Flag)}")
            flags.append(flag)
        elif flag in HIDING_FLAGS:
            source.warnings.append("hiding-flag-of-another-system")
            flags.append(flag)
    return tuple(sorted(set(flags)))


def moment_of(resource: Element, *keys: str) -> tuple[str | None, datetime | None]:
    """The first date among these elements, as sent and as a moment. A Period counts from its start."""
    for key in keys:
        if key.endswith("Period") or key == "period":
            period = resource.element(key)
            if period and period.has("start"):
                return period.text("start"), period.moment("start")
        elif resource.has(key):
            return resource.text(key), resource.moment(key)
    return None, None


def status_code(resource: Element, key: str) -> str | None:
    """clinicalStatus, verificationStatus: a CodeableConcept of one code."""
    return code_of(resource.element(key))


def notes(resource: Element) -> list[str]:
    return [one_line(text) for text in (note.text("text") for note in resource.elements("note")) if text]


def detail_of(*parts: str | None) -> str | None:
    """One line of the parts there are."""
    return "、".join(part for part in parts if part) or None
