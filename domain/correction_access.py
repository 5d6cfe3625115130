"""Who else than the patient may read what she asks of a facility. Nothing of her record comes with it."""

from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import AccessBasis, PurposeOfUse, RefusalReason, Role

PURPOSES: dict[Role, PurposeOfUse] = {
    Role.FACILITY_ADMIN: PurposeOfUse.HOPERAT,
    Role.AUDITOR: PurposeOfUse.HSYSADMIN,
}
"""What each looks for: an administrator answers for the facility, the operating body (運営主体) sees that it does."""


def purpose_of(caller: Caller) -> PurposeOfUse:
    return PURPOSES.get(caller.role, PurposeOfUse.HOPERAT)


def decide_corrections(request: AccessRequest, consents: Consents) -> Permitted | Refused:
    """Permit the roles whose work it is, on a ground without any class: no consent is asked, none is used.

    Which requests: an administrator's facility's own; of every facility's, for the operating body, what is overdue.
    """
    if PURPOSES.get(request.role) is not request.purpose:
        return Refused(RefusalReason.ROLE_NOT_PERMITTED, consents.version)
    if request.role is Role.AUDITOR:
        return Permitted((Ground(basis=AccessBasis.AUDIT, classes=(), flags=()),), consents.version)
    ground = Ground(basis=AccessBasis.OWN_FACILITY, classes=(), flags=(), sender=request.facility)
    return Permitted((ground,), consents.version)
