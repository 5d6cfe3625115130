"""Random documents over one world, each answered both ways and compared; what was asked, told and found is counted."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import orjson
from graphql import build_schema

from torture.both_ways import StandingStill, Still, Told, Way, apart, ordinarily, told
from torture.document_askers import KEPT_MAX, Asker, askers
from torture.document_coverage import Covered
from torture.random_documents import Asked, random_document
from torture.read_surface import Surface
from torture.read_world import Inhabited
from torture.shrunk_documents import shrunk
from tsuzuri.graphql.positions import opened_position, sealed_position
from tsuzuri.graphql.preparing import DocumentRefused, prepare
from tsuzuri.graphql.seals import SealBroken
from tsuzuri.projections.sight import Sight
from world import SCHEMA, World

LATER = (0,) * 7 + (40, 40, 1_200)  # days: emergencies are over, answers overdue; then results are too old
SINCE = "PatientRecord.changedSince(position)"
UNFITTING = 0.003  # of the documents: their caller may not use all of their root fields
READ = build_schema(SCHEMA.as_str())
SURFACE = Surface(READ)


@dataclass
class Compared:
    """What was asked and how it was answered."""

    documents: int = 0
    refused: int = 0  # before they ran
    with_errors: int = 0
    compiled: int = 0
    given_up: Counter[str] = field(
        default_factory=Counter
    )  # root fields of those that tell no error and were not
    covered: Counter[str] = field(default_factory=Counter)  # compiled documents, by coordinate
    told: Counter[str] = field(default_factory=Counter)  # values of their answers
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Compared") -> None:
        self.documents += other.documents
        self.refused += other.refused
        self.with_errors += other.with_errors
        self.compiled += other.compiled
        self.given_up += other.given_up
        self.covered += other.covered
        self.told += other.told
        self.faults += other.faults


class Comparing:
    """*shrinks*: how many faults are worth a search for the smallest document that shows them."""

    def __init__(self, world: World, inhabited: Inhabited, seed: str, way: Way, *, shrinks: int):
        self.world, self.way, self.at, self.shrinks = world, way, inhabited.at, shrinks
        self.random = Random(seed)
        self.askers = askers(inhabited)
        self.asked: Counter[str] = Counter()
        self.still = Still()
        self.found = Compared()

    async def compare(self, documents: int, *, faults_max: int | None = None) -> Compared:
        """So many documents, or until so many faults were found."""
        for asker in self.askers:
            self._begin(asker)
        for _ in range(documents):
            if faults_max is not None and len(self.found.faults) >= faults_max:
                break
            await self._one()
        return self.found

    def _begin(self, asker: Asker) -> None:
        """What is asked later begins at a position: a made-up one is refused, and nothing is compiled."""
        then = Sight(
            patient=asker.patient,
            grounds=(),
            generation=0,
            position=self.random.randrange(1, 20),
            recorded_by=self.at,
            decided_at=self.at,
        )
        position = sealed_position(self.world.application.seals, then)
        for one in (SINCE, "AsOf.position", "Query.patientRecord(minPosition)"):
            asker.gathered[one] = [position]

    def _gather_position(self, asker: Asker, position: str) -> None:
        """One of the patient whom this caller mostly asks for."""
        with suppress(SealBroken):
            opened_position(self.world.application.seals, asker.patient, position)
            if len(asker.gathered[SINCE]) < KEPT_MAX:
                asker.gathered[SINCE].append(position)

    async def _one(self) -> None:
        random, found = self.random, self.found
        asker = random.choice(self.askers)
        roots = asker.roots if random.random() >= UNFITTING else list(SURFACE.root.fields)
        asked = random_document(SURFACE, random, roots, asker.samples, self.asked)
        at = self.at + timedelta(days=random.choice(LATER))
        found.documents += 1
        try:
            ordinary = await self._told(asker, asked, at, ordinarily)
        except DocumentRefused:
            found.refused += 1
            return
        compiled = await self._told(asker, asked, at, self.way)
        self._count(asker, asked, ordinary, compiled)
        if fault := apart(ordinary, compiled):
            await self._fault(asker, asked, at, fault)

    async def _told(self, asker: Asker, asked: Asked, at: datetime, way: Way) -> Told:
        under = self.world.application
        application = StandingStill(under.services, under.schema_sha256, at, self.still)
        return await told(application, asker.caller, asked, way)

    def _count(self, asker: Asker, asked: Asked, ordinary: Told, compiled: Told) -> None:
        found, answer = self.found, orjson.loads(ordinary.body)
        found.compiled += compiled.compiled
        found.with_errors += "errors" in answer
        prepared = prepare(SCHEMA, asked.document, asked.operation_name)
        covered = Covered(READ, prepared.parsed, prepared.operation, asked.variables)
        coordinates = covered.asked()
        self.asked.update(coordinates)
        values = list(covered.told(answer.get("data")))
        for one in values:
            asker.gather(one)
            if one.coordinate == "Standing.position":
                self._gather_position(asker, one.value)
        if compiled.compiled:
            found.covered.update(coordinates)
            found.told.update({one.coordinate for one in values})
        elif "errors" not in answer:
            found.given_up.update(one for one in coordinates if one.startswith("Query.") and "(" not in one)

    async def _fault(self, asker: Asker, asked: Asked, at: datetime, fault: str) -> None:
        async def faulty(smaller: Asked) -> bool:
            try:
                ordinary = await self._told(asker, smaller, at, ordinarily)
                return bool(apart(ordinary, await self._told(asker, smaller, at, self.way)))
            except DocumentRefused:
                return False

        if len(self.found.faults) < self.shrinks:
            asked = await shrunk(asked, faulty)
        variables = orjson.dumps(asked.variables).decode()
        self.found.faults.append(f"{asker.name}: {fault} to {asked.document} with {variables}")
