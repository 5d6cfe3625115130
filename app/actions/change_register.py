"""What concerns no patient is changed in one way: fold it, decide, store; and again, when somebody was faster."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.refusals import ATTEMPTS, Busy
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Event
from tsuzuri.eventlog.appending import Beside

State = TypeVar("State")
E = TypeVar("E", bound=Event)


async def change_register(
    services: Services,
    load: Callable[[], Awaitable[State]],
    decide: Callable[[State], E | None],
    *,
    narrows: bool = True,
) -> E | None:
    """Store what *decide* makes of what *load* finds; the event, or None when there was nothing to store.

    *narrows*: reads may rest on it, so those under way decide again.

    Raises:
        Busy: try again; and whatever *decide* raises.
    """
    for _ in range(ATTEMPTS):
        event = decide(await load())
        try:
            if event is not None:
                await services.log.save(event, beside=Beside(narrows=narrows))
            return event
        except IntegrityError:
            continue
    raise Busy("the same entry was being changed again and again; try once more")
