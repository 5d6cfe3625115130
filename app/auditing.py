"""What auditors ask beside single accesses, each one action, with its refusals in words and codes."""

from tsuzuri.app.actions.ask_question import ask_question
from tsuzuri.app.services import Services
from tsuzuri.app.told import told
from tsuzuri.domain.answers import Answered
from tsuzuri.domain.questions import Asked


class Auditing:
    """Actions on the services that the application gives."""

    services: Services

    async def ask_question(self, asked: Asked) -> Answered:
        with told():
            return await ask_question(self.services, asked)
