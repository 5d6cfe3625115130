"""What the profiles of Bundles and Compositions require beyond FHIR, guide by guide.

Facts read from the published profiles and examples, in our own notation (`table.py`).
"""

from tsuzuri.domain.rules.systems import (
    DOCUMENT_INSTANCE,
    DOCUMENT_SUBTYPE,
    DOCUMENT_TYPE,
    RESOURCE_IDENTIFIER,
)

_BUNDLE = "meta.lastUpdated identifier identifier.value timestamp entry entry.fullUrl"
_DOCUMENT = f"{_BUNDLE} meta.profile type=document"
_VERSION = "extension:version!1 extension:version.valueString"
_NAMED = f"identifier identifier.system={RESOURCE_IDENTIFIER} identifier.value"
_TYPE = f"type.coding!1 type.coding.system={DOCUMENT_TYPE} type.coding.code"
_SUBTYPES = "ADMISSION|SECONDOP|EXAMIN|CONSULT|DISCHARGE|INPATIENT|OUTPATIENT"
_CATEGORY = (
    f"category!1 category.coding!1 category.coding.system={DOCUMENT_SUBTYPE} category.coding.code={_SUBTYPES}"
)
_HEAD = f"meta.lastUpdated meta.profile {_VERSION} {_NAMED} status=final"
_BODY = "subject subject.reference date author title"
_SECTION = "section.code section.code.coding section.code.coding.code"

CLINS = f"""
JP_Bundle_CLINS Bundle: {_BUNDLE} type=collection
    entry.link?!0 entry.search?!0 entry.request?!0 entry.response?!0
JP_Bundle_eReferral Bundle: {_DOCUMENT}
JP_Bundle_eDischargeSummary Bundle: {_DOCUMENT}
JP_Bundle_ePCS Bundle: {_DOCUMENT}
JP_Composition_eReferral Composition: {_HEAD} {_TYPE}=57133-1 {_CATEGORY} {_BODY} custodian custodian.reference
    event!1 event.code event.code.text event.period event.period.start {_SECTION}
    section:920!1 section:920.entry section:910!1 section:910.entry
JP_Composition_eDischargeSummary Composition: {_HEAD} {_TYPE}=18842-5 {_CATEGORY} {_BODY} custodian event
    event.period event.period.start {_SECTION}
JP_Composition_ePCS Composition: {_HEAD} {_TYPE}=56447-6 {_CATEGORY} {_BODY} encounter section!1 {_SECTION}
    section.entry section.author?!0 section.focus?!0
"""

CLINS_ENTRIES = {
    "JP_Bundle_eReferral": {
        "Composition": (1, 1),
        "Patient": (1, 1),
        "Practitioner": (1, None),
        "Organization": (2, 4),
    },
    "JP_Bundle_eDischargeSummary": {
        "Composition": (1, 1),
        "Patient": (1, 1),
        "Practitioner": (1, None),
        "Organization": (1, None),
        "Encounter": (1, None),
        "Condition": (1, None),
    },
    "JP_Bundle_ePCS": {
        "Composition": (1, 1),
        "Patient": (1, 1),
        "Practitioner": (1, 1),
        "Organization": (1, 1),
        "Encounter": (1, 1),
        "CarePlan": (1, 1),
        "Condition": (1, None),
    },
}
"""Bundle → type of resource → least and most entries of it."""

CHECKUP = f"""
JP_Bundle_eCheckupGeneral Bundle: {_DOCUMENT}
JP_Composition_eCheckupGeneral Composition: {_HEAD} {_TYPE}=53576-5|JPGCHKUP01 category {_BODY} encounter event
    event.code event.period {_SECTION}
"""

CHECKUP_ENTRIES = {
    "JP_Bundle_eCheckupGeneral": {
        "Composition": (1, 1),
        "Patient": (1, 1),
        "Organization": (1, None),
        "Practitioner": (1, None),
        "Encounter": (1, 1),
    },
}

REFERRAL_0_9 = f"""
JP_Bundle_eReferral-0.9 Bundle: type=document identifier identifier.system={DOCUMENT_INSTANCE} identifier.value
    timestamp entry entry.fullUrl
JP_Composition_eReferral-0.9 Composition: {_VERSION} {_NAMED} status=final {_TYPE}=57133-1 category {_BODY} custodian
    event event.code event.period {_SECTION} section:920 section:920.entry section:910 section:910.entry
"""

REFERRAL_0_9_ENTRIES = {
    "JP_Bundle_eReferral-0.9": {"Composition": (1, 1), "Patient": (1, 1), "Organization": (1, None)},
}
