"""The `tsuzuri` command. Exit codes: 0 done; 1 found a difference or stopped at something; 2 wrong usage."""

import logging
import sys

import structlog
import typer

from tsuzuri.app.actions.refusals import Busy, NotPermitted
from tsuzuri.app.commands import database, development, ingest, projections, serve
from tsuzuri.app.embedded_postgres import EmbeddedPostgresUnavailable
from tsuzuri.app.migrate import MigrationRefused
from tsuzuri.app.settings import SettingsWrong
from tsuzuri.app.tokens import DevelopmentOnly, TokenRefused
from tsuzuri.domain.callers import IncompleteCaller
from tsuzuri.projections.catalogue import UnknownProjection
from tsuzuri.projections.engine import ProjectionOutdated

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tsuzuri 綴: an event-sourced medical record index.",
)
app.command()(serve.serve)
app.command()(ingest.ingest)
app.command()(development.check)
app.command()(development.sample)
app.command()(development.query)
app.command()(development.token)
app.command()(development.schema)
app.add_typer(projections.app, name="projections")
app.add_typer(database.app, name="db")
app.add_typer(database.facilities_app, name="facilities")

WRONG_USAGE = (SettingsWrong, DevelopmentOnly, IncompleteCaller, UnknownProjection)
STOPPED = (
    Busy,
    EmbeddedPostgresUnavailable,
    MigrationRefused,
    NotPermitted,
    ProjectionOutdated,
    TokenRefused,
)


def main() -> None:
    """What a person can mend is told in one line; anything else is a fault and shows where it happened."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        app()
    except WRONG_USAGE as wrong:
        _exit(2, wrong)
    except STOPPED as stopped:
        _exit(1, stopped)


def _exit(code: int, error: Exception) -> None:
    typer.echo(f"tsuzuri: {error}", err=True)
    raise SystemExit(code)
