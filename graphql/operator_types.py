"""Projections, as the operator sees them."""

from datetime import datetime
from typing import Self

import strawberry

from tsuzuri.projections.comparing import Comparison, Difference
from tsuzuri.projections.quarantine import Quarantined
from tsuzuri.projections.replaying import Tried
from tsuzuri.projections.standings import FillProgress, Standing

DIFFERENCES_SHOWN = 1_000


@strawberry.type(description="How far a generation has come towards the log's head.")
class ProjectionProgress:
    name: str = strawberry.field(description="The projection's name.")
    generation: int = strawberry.field(description="Its number.")
    state: str = strawberry.field(description="FILLING, READY, LIVE, RETIRED; DROPPED when it is gone.")
    done: float = strawberry.field(description="Events of the log it has passed, over all parts.")
    total: float = strawberry.field(description="Events of the log.")
    rate_per_second: float = strawberry.field(description="Events a second of late, over all processes.")
    seconds_left: float | None = strawberry.field(description="At that rate; null when nobody works on it.")
    quarantined: int = strawberry.field(description="Patients set aside in it.")

    @classmethod
    def of(cls, progress: FillProgress) -> Self:
        return cls(
            name=progress.name,
            generation=progress.generation,
            state=progress.state,
            done=progress.done,
            total=progress.total,
            rate_per_second=progress.rate_per_second,
            seconds_left=progress.seconds_left,
            quarantined=progress.quarantined,
        )


@strawberry.type(description="Where one projection's live generation stands.")
class Projection:
    name: str = strawberry.field(description="Its name.")
    generation: int = strawberry.field(description="The generation that reads follow.")
    state: str = strawberry.field(description="LIVE.")
    paused: bool = strawberry.field(description="An operator has paused it: nothing is applied.")
    position: float = strawberry.field(description="Events passed, over all parts.")
    lag_events: float = strawberry.field(description="Events of the log not passed yet.")
    lag_seconds: float = strawberry.field(description="Age of the oldest of them; 0 when there is none.")
    rate_per_second: float = strawberry.field(description="Events a second of late, over all processes.")
    seconds_left: float | None = strawberry.field(description="Until it has caught up, at that rate.")
    quarantined: int = strawberry.field(description="Patients whose events wait: see quarantinedPatients.")
    other_generations: list[int] = strawberry.field(description="Generations kept beside it.")
    rebuild: ProjectionProgress | None = strawberry.field(
        description="The generation that is being filled, or waits to be promoted."
    )

    @classmethod
    def of(cls, standing: Standing) -> Self:
        return cls(
            name=standing.name,
            generation=standing.generation,
            state=standing.state,
            paused=standing.paused,
            position=standing.position,
            lag_events=standing.lag_events,
            lag_seconds=standing.lag_seconds,
            rate_per_second=standing.rate_per_second,
            seconds_left=standing.seconds_left,
            quarantined=standing.quarantined,
            other_generations=list(standing.other_generations),
            rebuild=None if standing.rebuild is None else ProjectionProgress.of(standing.rebuild),
        )


@strawberry.type(description="A patient set aside at an event that could not be applied.")
class QuarantinedPatient:
    projection: str = strawberry.field(description="In this projection,")
    generation: int = strawberry.field(description="in this generation.")
    patient: strawberry.ID = strawberry.field(description="The patient's id.")
    event: strawberry.ID = strawberry.field(description="The event's id.")
    topic: str = strawberry.field(description="What kind of event it is.")
    step: str = strawberry.field(description="Where it failed: decode, fold, merge.")
    fault: str = strawberry.field(description="The kind of error.")
    since: datetime = strawberry.field(description="When she was set aside.")
    attempts: int = strawberry.field(description="How often it was tried.")

    @classmethod
    def of(cls, found: Quarantined) -> Self:
        return cls(
            projection=found.name,
            generation=found.generation,
            patient=strawberry.ID(str(found.patient_id)),
            event=strawberry.ID(str(found.event_id)),
            topic=found.topic,
            step=found.step,
            fault=found.fault,
            since=found.quarantined_at,
            attempts=found.attempts,
        )


@strawberry.type(description="A row that is not the same in both generations. Never its values.")
class RowDifference:
    patient: strawberry.ID = strawberry.field(description="Whose row it is.")
    table: str = strawberry.field(description="Of this table.")
    key: list[str] = strawberry.field(description="The rest of its key: an entry's id.")
    columns: list[str] = strawberry.field(description="The columns that differ.")
    only_in: int | None = strawberry.field(description="The generation that alone has it.")

    @classmethod
    def of(cls, difference: Difference) -> Self:
        return cls(
            patient=strawberry.ID(str(difference.owner)),
            table=difference.table,
            key=list(difference.key),
            columns=list(difference.columns),
            only_in=difference.only_in,
        )


@strawberry.type(description="The live generation against the one beside it.")
class ProjectionCheck:
    compared: bool = strawberry.field(description="False: the live one is of another version of the code.")
    equal: bool = strawberry.field(description="Every row is the same in both.")
    patients: int = strawberry.field(description="Patients compared.")
    rows: float = strawberry.field(description="Rows of the generation beside the live one.")
    differing_patients: int = strawberry.field(description="Patients with a row that is not in both.")
    differences: list[RowDifference] = strawberry.field(description="The first 1,000 of them.")
    codes: list[str] = strawberry.field(
        description="Code releases that the live one and the one beside it are filled under: groups differ with them."
    )

    @classmethod
    def of(cls, found: Comparison | None) -> Self:
        if found is None:
            return cls(
                compared=False,
                equal=False,
                patients=0,
                rows=0,
                differing_patients=0,
                differences=[],
                codes=[],
            )
        return cls(
            compared=True,
            equal=found.equal,
            patients=found.owners,
            rows=found.rows,
            differing_patients=len(found.differing),
            differences=[RowDifference.of(one) for one in found.differences[:DIFFERENCES_SHOWN]],
            codes=list(found.codes),
        )


@strawberry.type(description="What became of quarantined patients that were tried again.")
class TriedAgain:
    current: int = strawberry.field(description="Patients that are current again.")
    stopped: int = strawberry.field(description="Patients that stopped once more.")

    @classmethod
    def of(cls, tried: Tried) -> Self:
        return cls(current=tried.current, stopped=tried.stopped)
