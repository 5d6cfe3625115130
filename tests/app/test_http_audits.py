"""GraphQL over HTTP as others read it: every audit of npm graphql-http is ok, of a server in development mode.

In production introspection is closed, which some audits ask for; all else is the same.
"""

import pytest

from edge_examples import Served
from graphql_http.audits import AUDITS, audited
from npm_packages import NpmAbsent
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.vocabulary import Role


def test_every_audit_is_ok(served: Served) -> None:
    token = development_token(served.settings, role=Role.OPERATOR, person="operator-ono")
    try:
        audits = audited(f"http://127.0.0.1:{served.port}/graphql", token)
    except NpmAbsent as absent:
        pytest.skip(str(absent))

    assert [audit for audit in audits if audit.status != "ok"] == []
    assert len(audits) == AUDITS
