"""`tsuzuri audit ask`: the saved questions at the machine. See OPERATIONS, "Audit: saved questions"."""

import sys
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from tsuzuri.app.actions.ask_question import ask_question
from tsuzuri.app.actions.record_look import record_look
from tsuzuri.app.commands.moments import japanese_moment
from tsuzuri.app.commands.operator_here import operator_here
from tsuzuri.app.commands.orders import carried_out
from tsuzuri.app.services import Services
from tsuzuri.domain.answers import Answered, Finding
from tsuzuri.domain.questions import CATALOGUE, Asked, Question, checked
from tsuzuri.domain.vocabulary import Language

COMMAND = "tsuzuri audit ask"
_JAPAN = timezone(timedelta(hours=9))
In = Annotated[Language, typer.Option(help="Of the words.", case_sensitive=False)]


def questions(language: In = Language.EN) -> None:
    """List the questions that `ask` answers, with what each needs and what it takes."""
    for saved in CATALOGUE.values():
        needs = [f"--{one.lower()}" for one in saved.needs]
        takes = [f"[--{one.lower()}]" for one in saved.takes]
        typer.echo(f"{saved.name}  {' '.join([*needs, *takes])}\n    {saved.words[language]}")


def ask(
    question: Annotated[
        Question, typer.Argument(help="Which: tsuzuri audit questions.", case_sensitive=False)
    ],
    patient: Annotated[UUID | None, typer.Option(help="Our id.")] = None,
    person: Annotated[str | None, typer.Option(help="As a token names her.")] = None,
    facility: Annotated[str | None, typer.Option(help="医療機関番号.")] = None,
    document: Annotated[UUID | None, typer.Option(help="Our id.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="From this moment on: 2027-04-01, in Japan.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this moment.")] = None,
    at: Annotated[str | None, typer.Option(help="Around this moment: 2026-11-23T10:32:00+09:00.")] = None,
    minutes: Annotated[int | None, typer.Option(help="So long before and after it; 5.")] = None,
    language: In = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, in both languages.")] = False,
) -> None:
    """Answer a saved question. Exit code 1: there are more findings than are shown."""
    asked = checked(
        Asked(
            question=question,
            patient=patient,
            person=person,
            facility=facility,
            document=document,
            since=japanese_moment(since),
            until=japanese_moment(until),
            at=japanese_moment(at),
            minutes=minutes,
        )
    )

    async def work(opened: Services) -> Answered:
        answer = await ask_question(opened, asked)
        said = {"question": question, **{name.lower(): value for name, value in asked.given().items()}}
        await record_look(opened, operator_here(), COMMAND, patient, said, shown=len(answer.findings))
        return answer

    answer = carried_out(work)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(_told(answer)) + b"\n")
    else:
        _show(answer, language)
    if answer.more:
        raise typer.Exit(1)


def _show(answer: Answered, language: Language) -> None:
    for one in answer.findings:
        who = "  ".join(part for part in (one.person, one.facility) if part is not None)
        typer.echo(f"{_time(one.since)}  {who}  {one.says[language]}{_ids(one)}")
    for told in answer.to_tell:
        where = told.facility or "herself, or who stands for her"
        typer.echo(
            f"tell {where}: {', '.join(told.persons)} ({len(told.accesses)} accesses, "
            f"{_time(told.first)} to {_time(told.last)})"
        )
    undecided = f"; {answer.undecided} can no longer be judged: erased" if answer.undecided else ""
    more = "; there are more: ask for a shorter period" if answer.more else ""
    typer.echo(
        f"{len(answer.findings)} found up to {_time(answer.complete_until)}{undecided}{more}", err=True
    )


def _ids(one: Finding) -> str:
    """Of a few accesses all, of many the first and how many."""
    if not one.accesses:
        return ""
    rest = f" and {len(one.accesses) - 1} more" if len(one.accesses) > 1 else ""
    return f"  [{one.accesses[0]}{rest}]"


def _time(at: datetime) -> str:
    return f"{at.astimezone(_JAPAN):%Y-%m-%d %H:%M:%S}"


def _told(answer: Answered) -> dict[str, Any]:
    findings = [
        {name: value for name, value in vars(one).items() if name != "says"}
        | {"words": {language.lower(): text for language, text in one.says.items()}}
        for one in answer.findings
    ]
    told = [vars(one) for one in answer.to_tell]
    rest = {"more": answer.more, "undecided": answer.undecided, "completeUntil": answer.complete_until}
    return {"findings": findings, "toTell": told, **rest}
