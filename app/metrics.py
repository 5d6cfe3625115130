"""What /metrics says, for Prometheus: where the projections and the notices stand. Nothing of any patient."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tsuzuri.app.notices.place import Sending
from tsuzuri.projections.standings import Standing

_GAUGES: dict[str, tuple[str, Callable[[Standing], float]]] = {
    "lag_events": ("Events of the log that the live generation has not passed.", lambda s: s.lag_events),
    "lag_seconds": ("Age of the oldest of them.", lambda s: s.lag_seconds),
    "events_per_second": ("Events applied of late, over all processes.", lambda s: s.rate_per_second),
    "batch_seconds": ("How long the last batch took.", lambda s: s.batch_seconds),
    "oldest_snapshot_seconds": (
        "The longest that a batch has held a snapshot.",
        lambda s: s.oldest_snapshot_seconds,
    ),
    "quarantined_patients": (
        "Patients set aside at an event that cannot be applied.",
        lambda s: s.quarantined,
    ),
    "paused": ("1 when an operator has paused it.", lambda s: float(s.paused)),
    "generation": ("The generation that reads follow.", lambda s: s.generation),
}


def metrics(
    standings: Sequence[Standing], notices: Sending | None = None, checkpoint_seconds: float | None = None
) -> bytes:
    """In the text format of Prometheus, version 0.0.4. *notices*: None when it is not known.

    *checkpoint_seconds*: age of the newest checkpoint; None when it is not known, or there is none.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(standings, notices, checkpoint_seconds))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(
        self, standings: Sequence[Standing], notices: Sending | None, checkpoint_seconds: float | None
    ) -> None:
        self._standings = standings
        self._notices = notices
        self._checkpoint_seconds = checkpoint_seconds

    def collect(self) -> Iterable[Metric]:
        for name, (documentation, value) in _GAUGES.items():
            gauge = GaugeMetricFamily(f"tsuzuri_projection_{name}", documentation, labels=["projection"])
            for standing in self._standings:
                gauge.add_metric([standing.name], value(standing))
            yield gauge
        yield from self._rebuilds()
        if self._notices is not None:
            yield from _notices(self._notices)
        if self._checkpoint_seconds is not None:
            yield GaugeMetricFamily(
                "tsuzuri_checkpoint_age_seconds",
                "Age of the newest signed checkpoint of the log.",
                self._checkpoint_seconds,
            )

    def _rebuilds(self) -> Iterator[Metric]:
        labels = ["projection", "generation", "state"]
        done = GaugeMetricFamily(
            "tsuzuri_rebuild_done_events", "Events that a new generation has passed.", labels=labels
        )
        total = GaugeMetricFamily("tsuzuri_rebuild_total_events", "Events that it is to pass.", labels=labels)
        for progress in (standing.rebuild for standing in self._standings if standing.rebuild is not None):
            of = [progress.name, str(progress.generation), progress.state]
            done.add_metric(of, progress.done)
            total.add_metric(of, progress.total)
        yield done
        yield total


def _notices(sending: Sending) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "tsuzuri_notices_lag_seconds",
        "Age of the oldest event that was not gone through for notices to patients.",
        sending.lag_seconds,
    )
    yield GaugeMetricFamily(
        "tsuzuri_notices_sender",
        "1 when a process sends notices to patients.",
        float(sending.sender is not None),
    )
