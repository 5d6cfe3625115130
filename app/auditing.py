"""What auditors do beyond looking: what they ask, an access run again, and the leave to see what it showed."""

from uuid import UUID

from strawberry import Schema

from tsuzuri.app.actions.allow_replay_content import allow_replay_content
from tsuzuri.app.actions.ask_question import ask_question
from tsuzuri.app.actions.replay_access import replay_access
from tsuzuri.app.services import Services
from tsuzuri.app.told import told
from tsuzuri.domain.answers import Answered
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import ReplayContentAllowed
from tsuzuri.domain.questions import Asked
from tsuzuri.domain.replays import Replay


class Auditing:
    """Actions on the services that the application gives."""

    services: Services

    async def ask_question(self, asked: Asked) -> Answered:
        with told():
            return await ask_question(self.services, asked)

    async def replay_access(
        self, schema: Schema, caller: Caller, access: UUID, allowance: UUID | None
    ) -> Replay | None:
        with told():
            return await replay_access(self.services, schema, caller, access, allowance)

    async def allow_replay_content(self, caller: Caller, access: UUID, person: str) -> ReplayContentAllowed:
        with told():
            return await allow_replay_content(self.services, caller, access, person)
