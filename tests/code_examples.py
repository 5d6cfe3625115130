"""Codes of results as facilities send them, and releases to read them under."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tsuzuri.domain.code_files import read_release
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import GROUPS, CodeEntry, Codes, Release
from tsuzuri.domain.record import Coding
from tsuzuri.domain.rules.systems import JLAC10
from tsuzuri.domain.vocabulary import RecordClass

CORE = "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_CoreLabo_CS"
INFECTION = "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_InfectionLabo_CS"
LOCAL = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_LocalCode_CS"
CHECKUP = "urn:oid:1.2.392.200119.6.1005"
JLAC10_OID = "urn:oid:1.2.392.200119.4.504"

HBA1C_LATEX, HBA1C_HPLC = "3D046000001906202", "3D046000001920402"  # one analyte, two methods
POTASSIUM = "3H015000002326101"
FILTRATION_RATE = "8A065000002391901"  # outside the 43 tests
ODD = "9X999000002399901"  # on no list

BUILT_IN = Codes(built_in())
HEADER = "system,code,display,valid_from,valid_to,class,group"


def coding(code: str, system: str = CORE, display: str | None = None) -> Coding:
    return Coding(system=system, code=code, display=display)


def a_release(*lines: str, name: str = "test-1") -> Release:
    """Of the lines of a CSV file, without its header."""
    return read_release(name, "\n".join([HEADER, *lines]).encode())


def an_entry(code: str, **changes: Any) -> CodeEntry:
    usual: dict[str, Any] = {"system": CORE, "code": code, "display": "見本", "record_class": None}
    return CodeEntry(**usual | changes)


def with_filtration_rate(name: str = "tsuzuri-2027.04") -> Release:
    """The built-in release, and one more group: eGFR, under the general table."""
    group = CodeEntry(system=GROUPS, code="EGFR", display="推算GFR", record_class=RecordClass.LAB_RESULT)
    listed = CodeEntry(
        system=JLAC10,
        code=FILTRATION_RATE,
        display="eGFR",
        record_class=RecordClass.LAB_RESULT,
        group="EGFR",
    )
    return Release(name, (*built_in().entries, group, listed))


def results_bundle(
    facility: str,
    codes: Mapping[str, list[tuple[str, str]]],
    *,
    number: str,
    local_id: str = "labs-1",
    measured: str = "2026-11-01T09:00:00+09:00",
) -> bytes:
    """A collection of Observations: *codes* is the name of a test → its codings, (system, code). All are 6.9 %."""
    institution = {
        "url": "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber",
        "valueIdentifier": {
            "system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no",
            "value": facility,
        },
    }
    patient = {
        "resourceType": "Patient",
        "identifier": [
            {"system": f"urn:oid:1.2.392.100495.20.3.51.1{facility}", "value": "P-1"},
            {"system": "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID", "value": number},
        ],
        "name": [{"text": "試験 花子"}],
    }
    laboratory = {
        "system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS",
        "code": "laboratory",
    }
    results = [
        {
            "resourceType": "Observation",
            "extension": [institution],
            "identifier": [
                {
                    "system": "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier",
                    "value": f"o-{name}",
                }
            ],
            "status": "final",
            "category": [{"coding": [laboratory]}],
            "code": {"coding": [{"system": system, "code": code} for system, code in of_test], "text": name},
            "effectiveDateTime": measured,
            "valueQuantity": {"value": 6.9, "unit": "%"},
        }
        for name, of_test in codes.items()
    ]
    return msgspec.json.encode(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "identifier": {
                "system": "http://jpfhir.jp/fhir/clins/bundle-identifier",
                "value": f"{facility}^2026^{local_id}",
            },
            "timestamp": "2026-11-20T10:00:00+09:00",
            "entry": [
                {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{place:012}", "resource": resource}
                for place, resource in enumerate([patient, *results])
            ],
        }
    )
