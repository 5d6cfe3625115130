"""What callers change, each one action, with its refusals in words and codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tsuzuri.app.actions.answer_correction import answer_correction
from tsuzuri.app.actions.appoint_proxy import appoint_proxy, end_proxy
from tsuzuri.app.actions.close_facility import close_facility
from tsuzuri.app.actions.correct_bundle import cancel_bundle, restore_bundle
from tsuzuri.app.actions.declare_emergency import declare_emergency, end_emergency, widen_emergency
from tsuzuri.app.actions.deny_consent import deny_consent, lift_denial
from tsuzuri.app.actions.give_emergency_right import (
    emergency_rights_now,
    give_emergency_right,
    take_emergency_right,
)
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.import_consent import import_consent
from tsuzuri.app.actions.link_patients import link_patients, unlink_patients
from tsuzuri.app.actions.list_facilities import list_facilities
from tsuzuri.app.actions.list_own_consents import list_own_consents
from tsuzuri.app.actions.open_disaster_window import (
    close_disaster_window,
    disaster_windows_now,
    open_disaster_window,
)
from tsuzuri.app.actions.preview_consent import preview_consent
from tsuzuri.app.actions.receive_referral import receive_referral
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.request_correction import request_correction, take_back_correction_request
from tsuzuri.app.actions.settle_identity import settle_identity
from tsuzuri.app.actions.withdraw_consent import withdraw_consent
from tsuzuri.app.services import Services
from tsuzuri.app.told import told
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consent_intentions import ImportedConsent
from tsuzuri.domain.correction_requests import SubjectKey
from tsuzuri.domain.facilities import EmergencyRight, Facility
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.policies import Window
from tsuzuri.domain.previews import Preview
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import (
    ConsentChange,
    CorrectionKind,
    CorrectionOutcome,
    DocumentKind,
    ProxyRelation,
    PurposeOfUse,
    RecordClass,
)
from tsuzuri.graphql.context import Declared
from tsuzuri.graphql.readings import RefusedReading


class Changes:
    """Actions on the services that the application gives."""

    services: Services

    async def register_bundle(
        self, caller: Caller, received: bytes, *, oral_consent: bool = False
    ) -> RegisteredBundle:
        with told():
            return await register_bundle(self.services, caller, received, oral_consent=oral_consent)

    async def cancel_bundle(
        self, caller: Caller, key: PatientKey, system: str, value: str, kind: DocumentKind, reason: str
    ) -> UUID:
        with told():
            return await cancel_bundle(self.services, caller, key, system, value, kind, reason)

    async def restore_bundle(
        self, caller: Caller, key: PatientKey, system: str, value: str, kind: DocumentKind, reason: str
    ) -> UUID:
        with told():
            return await restore_bundle(self.services, caller, key, system, value, kind, reason)

    async def grant_consent(
        self,
        caller: Caller,
        key: PatientKey,
        facility: str,
        classes: Sequence[RecordClass],
        purpose: PurposeOfUse,
        until: datetime | None,
        document: UUID | None,
    ) -> UUID:
        with told():
            return await grant_consent(
                self.services, caller, key, facility, classes, purpose, until, document
            )

    async def withdraw_consent(
        self,
        caller: Caller,
        key: PatientKey,
        facility: str,
        classes: Sequence[RecordClass],
        document: UUID | None,
    ) -> UUID:
        with told():
            return await withdraw_consent(self.services, caller, key, facility, classes, document)

    async def preview_consent(
        self,
        patient: UUID,
        change: ConsentChange,
        facility: str | None,
        classes: Sequence[RecordClass],
        until: datetime | None,
    ) -> Sequence[Preview]:
        with told():
            return await preview_consent(self.services, patient, change, facility, classes, until)

    async def deny_consent(
        self, caller: Caller, key: PatientKey, facility: str | None, classes: Sequence[RecordClass]
    ) -> UUID:
        with told():
            return await deny_consent(self.services, caller, key, facility, classes)

    async def import_consent(self, caller: Caller, received: bytes) -> ImportedConsent:
        with told():
            return await import_consent(self.services, caller, received)

    async def consent_resources(self, patient: UUID) -> list[dict[str, Any]]:
        return await list_own_consents(self.services, patient)

    async def lift_denial(self, caller: Caller, key: PatientKey, denial: UUID) -> UUID:
        with told():
            return await lift_denial(self.services, caller, key, denial)

    async def appoint_proxy(
        self, caller: Caller, key: PatientKey, person: str, relation: ProxyRelation, until: datetime
    ) -> UUID:
        with told():
            return await appoint_proxy(self.services, caller, key, person, relation, until)

    async def end_proxy(self, caller: Caller, key: PatientKey, proxy: UUID) -> UUID:
        with told():
            return await end_proxy(self.services, caller, key, proxy)

    async def declare_emergency(
        self, caller: Caller, key: PatientKey, reason: str, minutes: int
    ) -> Declared | RefusedReading:
        with told():
            return await declare_emergency(self.services, caller, key, reason, minutes)

    async def widen_emergency(self, caller: Caller, key: PatientKey, emergency: UUID, reason: str) -> UUID:
        with told():
            return await widen_emergency(self.services, caller, key, emergency, reason)

    async def end_emergency(self, caller: Caller, key: PatientKey, emergency: UUID) -> UUID:
        with told():
            return await end_emergency(self.services, caller, key, emergency)

    async def give_emergency_right(self, caller: Caller, person: str, until: datetime) -> UUID:
        with told():
            return await give_emergency_right(self.services, caller, person, until)

    async def take_emergency_right(self, caller: Caller, right: UUID) -> UUID:
        with told():
            return await take_emergency_right(self.services, caller, right)

    async def emergency_rights(self, caller: Caller) -> Sequence[EmergencyRight]:
        with told():
            return await emergency_rights_now(self.services, caller)

    async def open_disaster_window(
        self,
        caller: Caller,
        municipalities: Sequence[str],
        since: datetime | None,
        until: datetime,
        reason: str,
    ) -> UUID:
        with told():
            return await open_disaster_window(self.services, caller, municipalities, since, until, reason)

    async def close_disaster_window(
        self, caller: Caller, window: UUID, municipalities: Sequence[str]
    ) -> UUID:
        with told():
            return await close_disaster_window(self.services, caller, window, municipalities)

    async def disaster_windows(self) -> Sequence[Window]:
        return await disaster_windows_now(self.services)

    async def receive_referral(self, caller: Caller, key: PatientKey, document: UUID) -> UUID:
        with told():
            return await receive_referral(self.services, caller, key, document)

    async def request_correction(
        self, caller: Caller, key: PatientKey, kind: CorrectionKind, about: SubjectKey, words: str
    ) -> UUID:
        with told():
            return await request_correction(self.services, caller, key, kind, about, words)

    async def take_back_correction_request(self, caller: Caller, key: PatientKey, request: UUID) -> UUID:
        with told():
            return await take_back_correction_request(self.services, caller, key, request)

    async def answer_correction(
        self, caller: Caller, key: PatientKey, request: UUID, outcome: CorrectionOutcome, words: str | None
    ) -> UUID:
        with told():
            return await answer_correction(self.services, caller, key, request, outcome, words)

    async def list_facility(self, caller: Caller, facility: Facility) -> bool:
        with told():
            return await list_facilities(self.services, caller, [facility]) > 0

    async def close_facility(self, caller: Caller, number: str, reason: str | None) -> bool:
        with told():
            return await close_facility(self.services, caller, number, reason)

    async def settle_identity(self, caller: Caller, patient: UUID, identity: UUID, reason: str) -> UUID:
        with told():
            return await settle_identity(self.services, caller, patient, identity, reason=reason)

    async def link_patients(self, caller: Caller, survivor: UUID, other: UUID, reason: str) -> UUID:
        with told():
            return await link_patients(self.services, caller, survivor, other, reason=reason)

    async def unlink_patients(self, caller: Caller, patient: UUID, link: UUID, reason: str) -> UUID:
        with told():
            return await unlink_patients(self.services, caller, patient, link, reason=reason)
