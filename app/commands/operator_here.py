"""Who acts when a command is run at the machine itself: an operator, by the name of the account."""

import getpass

from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role


def operator_here() -> Caller:
    return Caller(person=f"operator:{getpass.getuser()}", role=Role.OPERATOR)
