"""Reads FHIR R4 Bundles of JP-CLINS into the values of `tsuzuri.domain.record`."""
