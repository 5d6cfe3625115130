"""The written rules of FHIR R4 and of the guides, as data, and what of them a Bundle or a resource breaks."""
