"""The `tsuzuri` command. Exit codes: 0 done; 1 found a difference or stopped at something; 2 wrong usage."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = {
    "serve": "serve:app",
    "ingest": "ingest:app",
    "check": "check:app",
    "consent": "consent:app",
    "sample": "sample:app",
    "query": "development:query_app",
    "token": "tokens:app",
    "schema": "development:schema_app",
    "projections": "projections:app",
    "facilities": "facilities:app",
    "identities": "identities:app",
    "audit": "audit:app",
    "witness": "witness:app",
    "codes": "codes:app",
    "documents": "documents:app",
    "keys": "keys:app",
    "erase": "erase:app",
    "retention": "retention:app",
    "reviews": "reviews:app",
    "notices": "notices:app",
    "db": "database:app",
}
"""Command → module of app/commands and the Typer in it, imported when it is asked for: FHIR and GraphQL take
a second to load, and `tsuzuri token` needs neither."""

LOGGING = frozenset({"serve", "ingest", "query", "projections", "erase", "retention", "reviews", "notices"})
"""Commands under which something may be logged. The others do without it: it takes a quarter of a second to load."""


class Commands(TyperGroup):
    """The commands, loaded one by one."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        loaded: Any = getattr(import_module(f"tsuzuri.app.commands.{module}"), name)
        command = typer.main.get_command(loaded)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tsuzuri 綴: an event-sourced medical record index.",
)


@app.callback()
def tsuzuri(ctx: typer.Context) -> None:
    """Tsuzuri 綴: an event-sourced medical record index."""
    if ctx.invoked_subcommand in LOGGING:
        from tsuzuri.app.logs import configure_logs

        configure_logs()


def main() -> None:
    """What a person can mend is told in one line; anything else is a fault and shows where it happened."""
    try:
        app()
    except Exception as error:
        code = exit_code(error)
        typer.echo(f"tsuzuri: {error if code else _fault(error)}", err=True)
        raise SystemExit(code or 1) from None


def _fault(error: Exception) -> str:
    """Kind and place: what the driver says may repeat what a row holds, so it is not shown."""
    from tsuzuri.graphql.failures import places

    return f"a fault of ours, {type(error).__name__} at {' '.join(places(error))}; please report this line"


def exit_code(error: Exception) -> int | None:
    """1 or 2 for what a person can mend; None for a fault of ours."""
    from psycopg import OperationalError

    from tsuzuri.app.actions import refusals
    from tsuzuri.app.actions.erase_expired import ClockAhead
    from tsuzuri.app.actions.explain_moment import MomentAhead
    from tsuzuri.app.embedded_postgres import EmbeddedPostgresUnavailable
    from tsuzuri.app.migrate import MigrationRefused
    from tsuzuri.app.settings import SettingsWrong
    from tsuzuri.app.signed import TokenRefused
    from tsuzuri.app.tokens import DevelopmentOnly
    from tsuzuri.domain.answers import TooMuchAsked
    from tsuzuri.domain.callers import IncompleteCaller
    from tsuzuri.domain.code_files import ReleaseMalformed
    from tsuzuri.domain.codes import CodesUnknown
    from tsuzuri.domain.erasures import ErasureHeld, NothingToErase, NothingToLift
    from tsuzuri.domain.facilities import FacilityMalformed, NothingToClose
    from tsuzuri.domain.identifiers import MalformedNumber
    from tsuzuri.domain.questions import QuestionUnfit
    from tsuzuri.domain.settlements import NothingToSettle
    from tsuzuri.domain.unusual_rules import UnknownRules
    from tsuzuri.eventlog.appending import LogUnavailable
    from tsuzuri.eventlog.data_keys import KeyUnavailable
    from tsuzuri.eventlog.older_copy import OlderCopy
    from tsuzuri.eventlog.proving import NotCovered, ProofNotMade
    from tsuzuri.projections.catalogue import UnknownProjection
    from tsuzuri.projections.checkpoints import ProjectionOutdated
    from tsuzuri.projections.generations import NotReady, ProjectionPaused, UnknownGeneration
    from tsuzuri.projections.replaying import NothingOfPatient, NotQuarantined

    wrong = (
        SettingsWrong,
        DevelopmentOnly,
        FacilityMalformed,
        IncompleteCaller,
        MalformedNumber,
        MomentAhead,
        QuestionUnfit,
        ReleaseMalformed,
        UnknownProjection,
        UnknownRules,
    )
    if isinstance(error, wrong):
        return 2
    if isinstance(error, OperationalError) and error.sqlstate is None:
        return 1  # the server has said nothing: it could not be reached
    stopped = (
        refusals.Busy,
        refusals.NotPermitted,
        ClockAhead,
        CodesUnknown,
        EmbeddedPostgresUnavailable,
        ErasureHeld,
        KeyUnavailable,
        LogUnavailable,
        MigrationRefused,
        NothingToClose,
        NothingToErase,
        NothingToLift,
        NothingToSettle,
        NotCovered,
        NotQuarantined,
        NotReady,
        NothingOfPatient,
        OlderCopy,
        ProjectionOutdated,
        ProjectionPaused,
        ProofNotMade,
        TokenRefused,
        TooMuchAsked,
        UnknownGeneration,
    )
    return 1 if isinstance(error, stopped) else None
