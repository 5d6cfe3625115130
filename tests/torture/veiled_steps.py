"""What happens to a patient in a torture of what nothing shows, step by step, and what has become of her so far."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from examples import HOSPITAL, OPERATOR, a_caller, herself
from torture.veiled_facts import Sending
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Role

PROXY = a_caller(person="daughter", role=Role.PATIENT, patient=UUID(int=77, version=4))
STRANGER = a_caller(person="dr-hoka", role=Role.CLINICIAN, facility=HOSPITAL)
_GRANT = """mutation($patient: PatientKey!, $to: String!, $classes: [RecordClass!]!) {
  grantConsent(patient: $patient, facility: $to, classes: $classes) }"""
_LETTER = """mutation($patient: PatientKey!, $to: String!, $letter: ID!) {
  grantConsent(patient: $patient, facility: $to, classes: [REFERRAL], document: $letter) }"""
_WITHDRAW = """mutation($patient: PatientKey!, $to: String!) {
  withdrawConsent(patient: $patient, facility: $to) }"""
_DENY = "mutation($patient: PatientKey!, $to: String) { denyConsent(patient: $patient, facility: $to) }"
_APPOINT = """mutation($patient: PatientKey!, $person: String!) { appointProxy(patient: $patient,
  person: $person, relation: DELEGATE, until: "2090-01-01T00:00:00+09:00") }"""
_END = "mutation($patient: PatientKey!, $proxy: ID!) { endProxy(patient: $patient, proxy: $proxy) }"
_CANCEL = """mutation($patient: PatientKey!, $value: String!, $kind: DocumentKind!) { cancelBundle(
  patient: $patient, identifier: { system: "urn:sample", value: $value }, kind: $kind, reason: "誤り") }"""
_LINK = """mutation($her: ID!, $other: ID!) {
  linkPatients(survivor: $her, other: $other, reason: "同一人") }"""
_READ = """query($patient: PatientKey!) { patientRecord(patient: $patient) { ... on PatientRecord {
  summary { conditions { name } } } } }"""
_OWN = "{ me { summary { conditions { name } } } }"


@dataclass
class Lived:
    """What has become of one patient so far."""

    number: str  # 被保険者番号
    reader: str  # 10 digits: the facility that asks about her, and about nobody else
    other_number: str  # of whoever may be found to be the same person
    patient: UUID = field(default_factory=uuid4)  # nobody's as long as nothing was sent of her
    other: UUID | None = None
    documents: dict[str, UUID] = field(default_factory=dict)  # by local id
    proxy: str | None = None  # the appointment

    @property
    def key(self) -> dict[str, str]:
        return {"id": str(self.patient)}


@dataclass(frozen=True)
class Act:
    """What is said or done about her, by whom."""

    caller: Callable[[Lived], Caller]
    document: str
    variables: Callable[[Lived], Mapping[str, Any]] = lambda lived: {"patient": lived.key}


@dataclass(frozen=True)
class OfAnother:
    """A Bundle about whoever may be found to be the same person."""

    sending: Sending


Step = Sending | OfAnother | Act


def her(lived: Lived) -> Caller:
    return herself(lived.patient)


def system(facility: str) -> Callable[[Lived], Caller]:
    return lambda _: a_caller(person="system", role=Role.SYSTEM, facility=facility)


def granted(classes: Sequence[RecordClass], facility: str | None = None) -> Act:
    """At the card reader of a facility; without one, of the facility that asks."""
    return Act(
        lambda lived: system(facility or lived.reader)(lived),
        _GRANT,
        lambda lived: {"patient": lived.key, "to": facility or lived.reader, "classes": list(classes)},
    )


def opened_letter(letter: Sending) -> Act:
    """What she said orally at the sender: its recipient, who asks, may read that letter."""
    return Act(
        system(letter.facility),
        _LETTER,
        lambda lived: {
            "patient": lived.key,
            "to": lived.reader,
            "letter": str(lived.documents[letter.local_id]),
        },
    )


def withdrawn() -> Act:
    return Act(
        lambda lived: system(lived.reader)(lived),
        _WITHDRAW,
        lambda lived: {"patient": lived.key, "to": lived.reader},
    )


def denied(facility: str | None) -> Act:
    """To one facility, or to every one."""
    return Act(her, _DENY, lambda lived: {"patient": lived.key, "to": facility})


def appointed(person: str = PROXY.person) -> Act:
    return Act(her, _APPOINT, lambda lived: {"patient": lived.key, "person": person})


def ended() -> Act:
    return Act(her, _END, lambda lived: {"patient": lived.key, "proxy": lived.proxy})


def cancelled(sending: Sending, kind: DocumentKind) -> Act:
    value = f"{sending.facility}^2026^{sending.local_id}"
    return Act(
        system(sending.facility),
        _CANCEL,
        lambda lived: {"patient": lived.key, "value": value, "kind": str(kind)},
    )


def linked() -> Act:
    return Act(
        lambda _: OPERATOR, _LINK, lambda lived: {"her": str(lived.patient), "other": str(lived.other)}
    )


def read_by(facility: str) -> Act:
    """Whether it may or not."""
    return Act(lambda _: a_caller(person="dr-hoka", role=Role.CLINICIAN, facility=facility), _READ)


def read_by_herself() -> Act:
    return Act(her, _OWN, lambda _: {})
