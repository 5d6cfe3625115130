"""`tsuzuri check`: what Bundles and resources break of the written rules, for those who write them."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from tsuzuri.app.commands.given_files import Piece, Result, find, pieces
from tsuzuri.domain.rules.checking import check as check_rules
from tsuzuri.domain.rules.checking import has_errors, too_large
from tsuzuri.domain.rules.limits import SIZE_MAX_BYTES
from tsuzuri.domain.rules.policies import POLICIES, Policy, PolicyWrong, policy_named
from tsuzuri.domain.rules.rule import Broken, Language, Severity

_PLACES_SHOWN = 5


@dataclass(frozen=True)
class Checked:
    """What is told of one file, or of one line of an NDJSON file."""

    file: str
    broken: list[Broken]
    unreadable: str | None = None  # why nothing could be checked

    @property
    def status(self) -> str:
        if self.unreadable is not None:
            return "unreadable"
        return "broken" if has_errors(self.broken) else "good"


app = typer.Typer()


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="Bundles, single resources, NDJSON; folders of them.")],
    policy: Annotated[str, typer.Option(help=f"One of {', '.join(POLICIES)}.")] = "clins-1.10",
    severity: Annotated[str, typer.Option(help='Changes to rules: "R2152=warning,R6021=off".')] = "",
    language: Annotated[Language, typer.Option(help="Of messages and fixes.")] = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each file.")] = False,
) -> None:
    """Name every rule that files break, and store nothing.

    Exit code 1 when an error is found; 2 when a file, or a line of one, cannot be read at all.
    """
    try:
        chosen = policy_named(policy, severity)
    except PolicyWrong as error:
        raise typer.BadParameter(str(error)) from None
    counts: Counter[str] = Counter()
    for checked in _checked(find(paths), chosen):
        counts[checked.status] += 1
        _tell_program(checked, chosen, language) if as_json else _tell_person(checked, language)
    if not as_json:
        told = ", ".join(
            f"{counts[status]} {status}" for status in ("good", "broken", "unreadable") if counts[status]
        )
        typer.echo(f"{counts.total()} checked under {chosen.name}: {told or 'nothing'}")
    raise typer.Exit(2 if counts["unreadable"] else 1 if counts["broken"] else 0)


def _checked(found: Iterable[Path | Result], policy: Policy) -> Iterator[Checked]:
    for one in found:
        for piece in pieces(one) if isinstance(one, Path) else iter([one]):
            yield _of(piece, policy) if isinstance(piece, Piece) else Checked(piece.file, [], piece.reason)


def _of(piece: Piece, policy: Policy) -> Checked:
    if len(piece.body) > SIZE_MAX_BYTES:  # and only its beginning was read
        return Checked(piece.file, too_large(policy))
    try:
        tree = orjson.loads(piece.body)
    except orjson.JSONDecodeError as error:
        return Checked(
            piece.file, [], f"not valid JSON: {error.msg}, line {error.lineno} column {error.colno}"
        )
    return Checked(piece.file, check_rules(tree, policy, size_bytes=len(piece.body)))


def _tell_program(checked: Checked, policy: Policy, language: Language) -> None:
    broken = [
        {
            "rule": one.rule,
            "severity": one.severity,
            "path": one.path,
            "message": one.message.told(language),
            "fix": one.fix.told(language),
        }
        for one in checked.broken
    ]
    line = {
        "file": checked.file,
        "policy": policy.name,
        "status": checked.status,
        "reason": checked.unreadable,
        "broken": broken,
    }
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


def _tell_person(checked: Checked, language: Language) -> None:
    counts = Counter(one.severity for one in checked.broken)
    told = [f"{counts[s]} {s}{'s' * (counts[s] > 1)}" for s in Severity if counts[s]]
    typer.echo(f"{checked.status:11}{checked.file}  {checked.unreadable or ', '.join(told)}".rstrip())
    by_rule: dict[str, list[Broken]] = {}
    for one in checked.broken:
        by_rule.setdefault(one.rule, []).append(one)
    for rule, places in by_rule.items():
        first = places[0]
        typer.echo(f"  {first.severity:8} {rule}  {first.message.told(language)}")
        for one in places[:_PLACES_SHOWN]:
            typer.echo(f"           at {one.path}")
        if len(places) > _PLACES_SHOWN:
            typer.echo(f"           and {len(places) - _PLACES_SHOWN} more places")
        typer.echo(f"           → {first.fix.told(language)}")
