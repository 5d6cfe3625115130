"""Every event of Tsuzuri, in the past tense, for ever.

A new field has a plain default, which old events read back. A new meaning is a new event. TOPIC is what is
stored: never renamed, never reused. Times are aware, UTC. An event's owner (a patient, a facility) and its
stream make up its originator, "<owner>/<stream>".
"""

from tsuzuri.domain.events.accesses import AccessPermitted, AccessRefused, BundleRefused, TrailRead
from tsuzuri.domain.events.bundles import (
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    Identifier,
    IdentitySettled,
    NumberPeriod,
    PatientIdentified,
    ReferralReceived,
    Unit,
    UnmatchedIdentity,
)
from tsuzuri.domain.events.consents import (
    ConsentDenied,
    ConsentGranted,
    ConsentWithdrawn,
    DenialLifted,
    ProxyAppointed,
    ProxyEnded,
)
from tsuzuri.domain.events.corrections import (
    CorrectionAnswered,
    CorrectionRequested,
    CorrectionRequestTakenBack,
)
from tsuzuri.domain.events.erasures import (
    AccessesErased,
    ConsentsErased,
    HoldLifted,
    HoldPlaced,
    PayloadErased,
    RecordErased,
    StreamErased,
)
from tsuzuri.domain.events.event import Erased, Event, Unreadable, originator
from tsuzuri.domain.events.links import Link, LinksChanged, PatientsLinked, PatientsUnlinked
from tsuzuri.domain.events.registers import CodeReleaseTaken, FacilityClosed, FacilityListed, OperatorActed

__all__ = [
    "EVENTS",
    "AccessPermitted",
    "AccessRefused",
    "AccessesErased",
    "BundleAccepted",
    "BundleCancelled",
    "BundleRefused",
    "BundleRegistered",
    "BundleReplaced",
    "BundleRestored",
    "CodeReleaseTaken",
    "ConsentDenied",
    "ConsentGranted",
    "ConsentWithdrawn",
    "ConsentsErased",
    "CorrectionAnswered",
    "CorrectionRequestTakenBack",
    "CorrectionRequested",
    "DenialLifted",
    "Erased",
    "Event",
    "FacilityClosed",
    "FacilityListed",
    "HoldLifted",
    "HoldPlaced",
    "Identifier",
    "IdentitySettled",
    "Link",
    "LinksChanged",
    "NumberPeriod",
    "OperatorActed",
    "PatientIdentified",
    "PatientsLinked",
    "PatientsUnlinked",
    "PayloadErased",
    "ProxyAppointed",
    "ProxyEnded",
    "RecordErased",
    "ReferralReceived",
    "StreamErased",
    "TrailRead",
    "Unit",
    "UnmatchedIdentity",
    "Unreadable",
    "originator",
]

EVENTS: tuple[type[Event], ...] = (
    PatientIdentified,
    BundleRegistered,
    BundleReplaced,
    BundleCancelled,
    BundleRestored,
    ReferralReceived,
    IdentitySettled,
    PatientsLinked,
    PatientsUnlinked,
    CorrectionRequested,
    CorrectionAnswered,
    CorrectionRequestTakenBack,
    PayloadErased,
    RecordErased,
    ConsentsErased,
    AccessesErased,
    HoldPlaced,
    HoldLifted,
    ConsentGranted,
    ConsentWithdrawn,
    ConsentDenied,
    DenialLifted,
    ProxyAppointed,
    ProxyEnded,
    AccessPermitted,
    AccessRefused,
    BundleRefused,
    TrailRead,
    FacilityListed,
    FacilityClosed,
    OperatorActed,
    CodeReleaseTaken,
)
"""The whole vocabulary. What is not here is not in the log."""
