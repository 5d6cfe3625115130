"""Projections, as the operator sees them."""

from typing import Self

import strawberry

from tsuzuri.projections.generations import Rebuilt, Standing


@strawberry.type(description="Where one projection's live generation stands.")
class Projection:
    name: str = strawberry.field(description="Its name.")
    generation: int = strawberry.field(description="The generation that reads follow.")
    state: str = strawberry.field(description="LIVE.")
    position: float = strawberry.field(description="Events passed, over all parts.")
    lag_events: float = strawberry.field(description="Events of the log not passed yet.")
    lag_seconds: float = strawberry.field(description="Age of the oldest of them; 0 when there is none.")
    other_generations: list[int] = strawberry.field(description="Generations kept beside it.")

    @classmethod
    def of(cls, standing: Standing) -> Self:
        return cls(
            name=standing.name,
            generation=standing.generation,
            state=standing.state,
            position=standing.position,
            lag_events=standing.lag_events,
            lag_seconds=standing.lag_seconds,
            other_generations=list(standing.other_generations),
        )


@strawberry.type(description="A generation that was filled beside the live one.")
class RebuiltProjection:
    name: str = strawberry.field(description="Its name.")
    generation: int = strawberry.field(description="The new generation.")
    compared: bool = strawberry.field(description="False: the live one was of another version of the code.")
    rows: float = strawberry.field(description="Rows in it, when it was compared.")
    differing_patients: int = strawberry.field(description="Patients with a row that is not in both.")
    promoted: bool = strawberry.field(description="Reads follow it now.")

    @classmethod
    def of(cls, name: str, rebuilt: Rebuilt) -> Self:
        comparison = rebuilt.comparison
        return cls(
            name=name,
            generation=rebuilt.generation,
            compared=comparison is not None,
            rows=comparison.rows if comparison else 0,
            differing_patients=len(comparison.differing) if comparison else 0,
            promoted=rebuilt.promoted,
        )
