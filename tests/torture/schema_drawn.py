"""Operations that schemathesis draws from the exported schema, valid and with strange values, asked by each role.

Whatever comes back is an answer or a refusal in our words: no fault of ours, nothing of the driver's, and each
refusal has a code.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import psycopg
import schemathesis
import strawberry
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from starlette.types import ASGIApp
from strawberry.asgi import GraphQL

from torture.edge_server import Line, NoAnswer, edge_server
from torture.harness import Outcome, Torture
from torture.hostile_bodies import fault_of
from torture.hostile_requests import HostileRequest
from tsuzuri.domain.vocabulary import Role

EXAMPLES = 100  # of each field of Query and Mutation, by each role
SEED = int(os.environ.get("TSUZURI_SEED", "7"))
EXPORTED = Path(__file__).parents[1] / "graphql" / "schema.graphql"
ROLES = (Role.CLINICIAN, Role.SYSTEM, Role.AUDITOR, Role.OPERATOR, Role.PATIENT)


def documents(strategy: SearchStrategy[Case[Any]], examples: int) -> list[str]:
    """At most so many that are drawn; the seed says which."""
    drawn: list[str] = []

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(case=strategy)
    def draw(case: Case[Any]) -> None:
        drawn.append(str(case.body))

    draw()
    return drawn


def tormented(
    folder: Path,
    exported: Path,
    examples: int,
    roles: Sequence[Role],
    stock: ASGIApp | None = None,
    path: str = "/graphql",
) -> Outcome:
    operations = schemathesis.graphql.from_path(exported).get_all_operations()
    drawn = [found.ok() for found in operations if isinstance(found, Ok)]
    faults: list[str] = []
    counts: Counter[str] = Counter()
    with edge_server(folder, stock) as server:
        line = Line(server.port)
        bearers: Mapping[Role, str] = {role: server.bearer(role) for role in roles}

        def ask(label: str, role: Role, document: str) -> None:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearers[role]}"}
            body = json.dumps({"query": document}).encode()
            try:
                status, answer = line.send("POST", path, body, headers)
            except NoAnswer as none:
                faults.append(f"{label} as {role} (seed {SEED}) got no answer: {none}")
                return
            fault = fault_of(HostileRequest(label, body, refused=False), status, answer)
            codes = {
                error.get("extensions", {}).get("code") for error in orjson.loads(answer).get("errors") or ()
            }
            if fault or None in codes:
                faults.append(f"{label} as {role} (seed {SEED}) {fault or 'met an error without a code'}")
            counts["refused" if codes else "answered"] += 1

        for operation in drawn:
            strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
            for document in documents(strategy, examples):
                for role in roles:
                    ask(operation.label, role, document)
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(counts.items()))
    return Outcome(f"{len(drawn)} fields, {told} (seed {SEED})", faults)


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, EXPORTED, max(1, round(EXAMPLES * share)), ROLES if share > 0.1 else ROLES[:1])


@strawberry.type
class Trusting:
    """A server that hands to the database what it was given."""

    @strawberry.field
    async def numbers(self, first: int) -> list[int]:
        if first < 0:
            raise psycopg.errors.InvalidRowCountInLimitClause("LIMIT must not be negative")
        return []


def trusting(folder: Path, _: float) -> Outcome:
    schema = strawberry.Schema(Trusting)
    exported = folder / "trusting.graphql"
    exported.write_text(schema.as_str())
    return tormented(folder, exported, 30, ROLES[:1], GraphQL(schema), "/")


TORTURE = Torture("drawn from the schema", run, {"a field that trusts": trusting})
