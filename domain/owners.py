"""Who owns a stream: a patient by a random id; everything else by an id derived from its name."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1d3c52-7a0e-5c1b-9a7d-0f3a4f6c2b11")  # ours, fixed for ever


def facility_owner(facility: str) -> UUID:
    """The owner id of a facility's own streams."""
    return uuid5(_NAMESPACE, f"facility/{facility}")


def person_owner(person: str) -> UUID:
    """The owner id of the streams of a caller who belongs to no facility: auditors, operators."""
    return uuid5(_NAMESPACE, f"person/{person}")


def projection_owner(name: str) -> UUID:
    """The owner id of the stream in which the operators' acts on a projection are kept."""
    return uuid5(_NAMESPACE, f"projection/{name}")


def disaster_owner() -> UUID:
    """The owner id of the stream in which disaster windows are opened and closed."""
    return uuid5(_NAMESPACE, "disaster")


def codes_owner() -> UUID:
    """The owner id of the stream in which the code releases are kept."""
    return uuid5(_NAMESPACE, "codes")


def documents_owner() -> UUID:
    """The owner id of the stream in which the texts of GraphQL documents are kept."""
    return uuid5(_NAMESPACE, "documents")


def document_kept_id(sha256: str) -> UUID:
    """The event that keeps a GraphQL document: one id for each text, so that it is kept once."""
    return uuid5(_NAMESPACE, f"document/{sha256}")


def access_owner(access: UUID) -> UUID:
    """The owner id of the stream of what is allowed concerning one access."""
    return uuid5(_NAMESPACE, f"access/{access}")


def log_owner() -> UUID:
    """The owner id of the stream in which it is kept that the log itself was put back."""
    return uuid5(_NAMESPACE, "log")


def document_id(patient: UUID, facility: str, system: str, value: str, kind: str) -> UUID:
    """One id for all versions of a Bundle under one key. The parts are length-marked, so none runs into the next."""
    key = "".join(f"{len(part)}:{part}" for part in (facility, system, value, kind))
    return uuid5(patient, key)


def entry_id(document: UUID, key: str) -> UUID:
    """One id for a fact of a document, kept when the document is replaced."""
    return uuid5(document, key)
