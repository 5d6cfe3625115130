"""Operators look at projections and rebuild them, while clinicians read on."""

from collections.abc import Callable

from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.catalogue import projection
from tsuzuri.projections.engine import Engine, Progress
from tsuzuri.projections.generations import Rebuilt, Standing, rebuild, standings


def projection_standings(services: Services) -> list[Standing]:
    """Where each projection stands."""
    with services.logins.connect(LogRole.READER) as connection:
        return standings(connection)


def rebuild_projection(
    services: Services,
    caller: Caller,
    name: str,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Rebuilt:
    """Fill a new generation, compare it with the live one, and let reads follow it when both are equal.

    Raises:
        NotPermitted: the caller is not an operator.
        tsuzuri.projections.catalogue.UnknownProjection.
    """
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator rebuilds projections")
    wanted = projection(name)
    with services.logins.connect(LogRole.PROJECTOR) as connection:
        return rebuild(
            connection, Engine(services.log.mapper, services.ring), wanted, on_progress=on_progress
        )
