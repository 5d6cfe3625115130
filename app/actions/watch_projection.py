"""An operator watches how far a projection has come: the generation beside the live one, or the live one itself."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from tsuzuri.app.looks import Looks
from tsuzuri.projections.catalogue import projection
from tsuzuri.projections.standings import FillProgress, Standing

UNDER_WAY = ("FILLING", "READY")


def watch_projection(looks: Looks[list[Standing]], name: str) -> AsyncGenerator[FillProgress, None]:
    """What changed, look by look; the first at once. While the database does not answer, nothing is told.

    Ends when the generation that was under way is decided about, after having told what became of it.

    Raises:
        tsuzuri.projections.catalogue.UnknownProjection: at once.
    """
    return _changes(looks, projection(name).name)


async def _changes(looks: Looks[list[Standing]], name: str) -> AsyncGenerator[FillProgress, None]:
    last: FillProgress | None = None
    async for standings in looks.each():
        if standings is None:
            continue
        progress = seen(next(one for one in standings if one.name == name), last)
        if progress != last:
            yield progress
        if last is not None and last.state in UNDER_WAY and progress.state not in UNDER_WAY:
            return
        last = progress


def seen(standing: Standing, last: FillProgress | None) -> FillProgress:
    """How far the generation has come that is watched, when *last* is what was seen of it before."""
    beside = standing.rebuild
    if last is None or last.state not in UNDER_WAY:
        return beside if beside is not None and beside.state in UNDER_WAY else _live(standing)
    if beside is not None and beside.generation == last.generation:
        return beside
    if standing.generation == last.generation:
        return _live(standing)
    if last.generation in standing.other_generations:  # promoted and rolled back since the last look
        return replace(last, state="RETIRED", rate_per_second=0.0)
    return FillProgress(last.name, last.generation, "DROPPED", 0, 0, 0.0, 0)


def _live(standing: Standing) -> FillProgress:
    return FillProgress(
        name=standing.name,
        generation=standing.generation,
        state=standing.state,
        done=standing.position,
        total=standing.position + standing.lag_events,
        rate_per_second=standing.rate_per_second,
        quarantined=standing.quarantined,
    )
