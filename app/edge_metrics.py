"""What /metrics says of this process: its requests, who is let in, its connections, whether it is ready."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tsuzuri.app.admission import Admission
from tsuzuri.app.readiness import CHECKS, Health
from tsuzuri.app.request_metrics import RequestMetrics
from tsuzuri.app.services import Services


class EdgeMetrics:
    """*admissions*: by what they let in."""

    def __init__(self, requests: RequestMetrics, admissions: Mapping[str, Admission]) -> None:
        self._requests = requests
        self._admissions = admissions

    def told(self, services: Services, health: Health) -> bytes:
        """In the text format of Prometheus, version 0.0.4."""
        registry = CollectorRegistry()
        registry.register(_Now([*self._admitted(), *_connections(services), *_ready(health)]))
        return generate_latest(self._requests.registry) + generate_latest(registry)

    def _admitted(self) -> Iterable[Metric]:
        running = GaugeMetricFamily(
            "tsuzuri_operations_running", "Operations that have their turn.", labels=["kind"]
        )
        waiting = GaugeMetricFamily(
            "tsuzuri_operations_waiting", "Operations that wait for one.", labels=["kind"]
        )
        refused = CounterMetricFamily(
            "tsuzuri_operations_refused", "Operations that were told to come later.", labels=["kind", "code"]
        )
        for kind, admission in self._admissions.items():
            running.add_metric([kind], admission.turns.running)
            waiting.add_metric([kind], admission.turns.waiting)
            for code, number in admission.refused.items():
                refused.add_metric([kind, code], number)
        rates = next(iter(self._admissions.values())).rates
        callers = GaugeMetricFamily(
            "tsuzuri_callers", "Callers whose rate is kept in mind.", 0 if rates is None else len(rates)
        )
        return [running, waiting, refused, callers]


class _Now(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _connections(services: Services) -> Iterable[Metric]:
    pools = {"reader": services.pool.get_stats(), "auditor": services.auditors.get_stats()}
    open_ = GaugeMetricFamily("tsuzuri_connections", "Connections of a pool.", labels=["pool", "state"])
    waiting = GaugeMetricFamily(
        "tsuzuri_connections_waited_for", "Who waits for one at this moment.", labels=["pool"]
    )
    for name, stats in pools.items():
        size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        open_.add_metric([name, "idle"], idle)
        open_.add_metric([name, "used"], size - idle)
        waiting.add_metric([name], stats.get("requests_waiting", 0))
    group = services.log.group_counts
    commits = CounterMetricFamily(
        "tsuzuri_access_commits", "Commits that recorded accesses, each of many.", group.commits
    )
    writes = CounterMetricFamily("tsuzuri_access_writes", "Writes that shared them.", group.writes)
    return [open_, waiting, commits, writes]


def _ready(health: Health) -> Iterable[Metric]:
    failed = GaugeMetricFamily("tsuzuri_failed", "1 while a check of /readyz fails.", labels=["check"])
    for check in CHECKS:
        failed.add_metric([check], float(check in health.failed))
    yield failed
    if health.clock_offset_seconds is not None:
        yield GaugeMetricFamily(
            "tsuzuri_clock_offset_seconds",
            "How far this machine's clock is ahead of the database's.",
            health.clock_offset_seconds,
        )
