"""`tsuzuri audit`: why somebody could see a record, or could not. See OPERATIONS, "Audit"."""

import sys
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from tsuzuri.app.actions.explain_access import explain_access
from tsuzuri.app.actions.explain_moment import explain_moment
from tsuzuri.app.actions.record_look import record_look
from tsuzuri.app.commands import audit_ask, audit_export
from tsuzuri.app.commands.audit_prove import checkpoint, new_key, prove, public_key
from tsuzuri.app.commands.audit_replay import allow_content, replay
from tsuzuri.app.commands.audit_verify import verify
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.services import Services
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.explanation_sentences import sentence
from tsuzuri.domain.explanations import Explanation
from tsuzuri.domain.vocabulary import Language, PurposeOfUse, Role

_COMMAND = "tsuzuri audit explain"
_AGREES = {
    True: ("as it was recorded", "記録された判定と一致します"),
    False: ("NOT as it was recorded", "記録された判定と一致しません"),
    None: ("nothing to compare it with", "比較できる記録がありません"),
}

app = typer.Typer(no_args_is_help=True, help="Who could see what, and why. Each look is in the trail.")

app.command("prove")(prove)
app.command("verify")(verify)
app.command("checkpoint")(checkpoint)
app.command("new-key")(new_key)
app.command("public-key")(public_key)
app.command("ask")(audit_ask.ask)
app.command("questions")(audit_ask.questions)
app.command("export")(audit_export.export)


app.command("replay")(replay)
app.command("allow-content")(allow_content)


@app.callback()
def audit() -> None:
    """Who could see what, and why. Each look is in the trail."""


@app.command("explain")
def explain(
    access: Annotated[UUID | None, typer.Argument(help="The id that was quoted, or the trail shows.")] = None,
    patient: Annotated[UUID | None, typer.Option(help="Instead: what could be seen of this patient,")] = None,
    facility: Annotated[str | None, typer.Option(help="by this facility (医療機関番号),")] = None,
    at: Annotated[str | None, typer.Option(help="at this moment: 2026-11-23T12:00:00+09:00.")] = None,
    role: Annotated[Role, typer.Option(help="In this role.")] = Role.CLINICIAN,
    purpose: Annotated[PurposeOfUse, typer.Option(help="For this purpose.")] = PurposeOfUse.TREAT,
    person: Annotated[str, typer.Option(help="By this person, as a token names her.")] = "",
    language: Annotated[Language, typer.Option(help="Of the words.", case_sensitive=False)] = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, in both languages.")] = False,
) -> None:
    """Decide an access again on what it cites, and say each thing it looked at; or what a moment would have shown."""
    given = [one for one in (patient, facility, at) if one is not None]
    if len(given) != (3 if access is None else 0):
        raise typer.BadParameter("give the id of an access; or --patient, --facility and --at")
    moment = None if at is None else _moment(at)  # before anything is opened
    asked = {"access": access, "patient": patient, "facility": facility, "at": at}
    asked |= {"role": role, "purpose": purpose, "person": person}

    async def work(opened: Services) -> Explanation | None:
        explanation: Explanation | None
        if access is not None:
            explanation = await explain_access(opened, access)
        else:
            assert patient is not None and facility is not None and moment is not None
            explanation = await explain_moment(
                opened, patient, facility, moment, role=role, purpose=purpose, person=person
            )
        whose = explanation.request.patient if explanation is not None and explanation.known else None
        shown = 0 if explanation is None else 1
        await record_look(opened, operator_here(), _COMMAND, whose, asked, shown=shown)
        return explanation

    explanation = carried_out(work)
    if explanation is None:
        typer.echo(
            "tsuzuri: the trail has no such access, or has not come to it: tsuzuri projections list", err=True
        )
        raise typer.Exit(1)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(_told(explanation)) + b"\n")
        return
    for step in explanation.steps:
        about = "" if step.because is None else f"  [{step.because}]"
        typer.echo(f"{'+' if step.matched else '-'} {sentence(step, explanation, language)}{about}")
    typer.echo(f"= {_AGREES[explanation.agrees][language is Language.JA]}")


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        if at.tzinfo is not None:
            return at
    raise typer.BadParameter("--at is a moment with its offset: 2026-11-23T12:00:00+09:00")


def _told(explanation: Explanation) -> dict[str, Any]:
    decision = explanation.decision
    permitted = isinstance(decision, Permitted)
    return {
        "decision": "PERMITTED" if permitted else "REFUSED",
        "reason": decision.reason if isinstance(decision, Refused) else None,
        "agrees": explanation.agrees,
        "decidedAt": explanation.request.at,
        "consentVersion": decision.consent_version,
        "grounds": decision.grounds if isinstance(decision, Permitted) else (),
        "steps": [
            {
                "rule": step.rule,
                "matched": step.matched,
                "because": step.because,
                "endedBy": step.ended_by,
                "words": {one.value.lower(): sentence(step, explanation, one) for one in Language},
            }
            for step in explanation.steps
        ],
    }
