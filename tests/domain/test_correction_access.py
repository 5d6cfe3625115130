"""Who else than the patient may read what she asks of a facility."""

import pytest

from examples import CLINIC, PATIENT, a_request
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.correction_access import decide_corrections
from tsuzuri.domain.vocabulary import AccessBasis, PurposeOfUse, RefusalReason, Role

CONSENTS = Consents(PATIENT, version=3)
MAY = {
    (Role.FACILITY_ADMIN, PurposeOfUse.HOPERAT): (AccessBasis.OWN_FACILITY,),
    (Role.AUDITOR, PurposeOfUse.HSYSADMIN): (AccessBasis.AUDIT,),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("purpose", PurposeOfUse)
def test_an_administrator_and_the_operating_body_for_their_own_purpose_alone(
    role: Role, purpose: PurposeOfUse
) -> None:
    answer = decide_corrections(a_request(role=role, purpose=purpose, facility=CLINIC), CONSENTS)

    if (bases := MAY.get((role, purpose))) is None:
        assert answer == Refused(RefusalReason.ROLE_NOT_PERMITTED, 3)
    else:
        assert isinstance(answer, Permitted)
        assert (answer.bases, answer.classes, answer.consent_version) == (bases, (), 3)
