"""Reads that had no basis in force at that moment: each is decided again on the log, twice."""

from datetime import datetime

from tsuzuri.app.actions.explain_access import explain_access, explain_as_recorded
from tsuzuri.app.questions.accesses import RECORD_READS, filter_of, finding, load
from tsuzuri.app.services import Services
from tsuzuri.domain.answers import Answered, Finding, answered
from tsuzuri.domain.questions import Asked
from tsuzuri.domain.vocabulary import Language
from tsuzuri.graphql.statements import one_of
from tsuzuri.projections.audit_trail import AccessRow

READS_MAX = 2_000
"""Each of them has streams of the log read again: an answer goes through so many."""
_CITED = {
    Language.EN: "What it cites did not let it be seen: decided again, the answer is another.",
    Language.JA: "引用された根拠では閲覧できません。再判定の結果が記録と異なります。",
}
_RECORDED = {
    Language.EN: "What it cites had ended: on what stood in the log when it was recorded, it could not be seen.",
    Language.JA: "引用された根拠は既に失効していました。記録時点のログにもとづけば閲覧できません。",
}


async def without_basis(services: Services, asked: Asked, complete_until: datetime) -> Answered:
    where = [*filter_of(asked).where(), one_of("outcome", RECORD_READS)]
    found: list[Finding] = []
    undecided = 0
    for row in await load(services, where, complete_until, READS_MAX):
        agrees, lacking = await _judged(services, row)
        undecided += agrees is None
        found += [] if lacking is None else [lacking]
    return answered(found, complete_until, undecided=undecided)


async def _judged(services: Services, row: AccessRow) -> tuple[bool | None, Finding | None]:
    """Whether it had a basis, None where what it rested on was erased; and if it had none, what is to be said."""
    for explain, says in ((explain_access, _CITED), (explain_as_recorded, _RECORDED)):
        explanation = await explain(services, row.access)
        if explanation is None or explanation.agrees is None:
            return None, None
        if not explanation.agrees:
            return False, finding(row, says)
    return True, None
