"""The audits of GraphQL over HTTP, asked of a server as it is; the control is Strawberry's own endpoint."""

from pathlib import Path

from starlette.types import ASGIApp
from strawberry.asgi import GraphQL

from graphql_http.audits import AUDITS, audited, counted
from npm_packages import NpmAbsent
from torture.edge_server import edge_server
from torture.harness import Outcome, Torture
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.schema import build_schema


def tormented(folder: Path, stock: ASGIApp | None, path: str) -> Outcome:
    with edge_server(folder, stock) as server:
        try:
            audits = audited(f"http://127.0.0.1:{server.port}{path}", server.bearer(Role.OPERATOR))
        except NpmAbsent as absent:
            return Outcome("not run", [str(absent)])
    missing = [f"{AUDITS - len(audits)} audits did not run"] if len(audits) < AUDITS else []
    faults = [f"{audit.status}: {audit.name}: {audit.reason}" for audit in audits if audit.status != "ok"]
    return Outcome(f"{len(audits)} audits: {counted(audits)}", missing + faults)


def run(folder: Path, _: float) -> Outcome:
    return tormented(folder, None, "/graphql")


def stock(folder: Path, _: float) -> Outcome:
    return tormented(folder, GraphQL(build_schema()), "/")


TORTURE = Torture("GraphQL over HTTP", run, {"Strawberry's own endpoint": stock})
