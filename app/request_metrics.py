"""What is counted of requests, for /metrics: how many, how they went, how long they took. Nothing of any person."""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class RequestMetrics:
    """Of one server. `registry` holds them, and what is known of the process: memory, CPU, open files."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.in_flight = 0
        self._requests = Counter(
            "tsuzuri_requests",
            "Requests by route and class of status; 0xx were not answered.",
            ["route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tsuzuri_request_seconds",
            "From the head of the request to the end of the answer; streams are not among them.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.registry.register(_InFlight(self))
        ProcessCollector(registry=self.registry)
        self._counters: dict[tuple[str, int], Counter] = {}  # a label is looked up once
        self._histograms: dict[str, Histogram] = {}

    def answered(self, route: str, status: int, seconds: float | None) -> None:
        """*seconds*: None of a stream, which lasts as long as somebody listens."""
        key = route, status // 100
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._requests.labels(route, f"{status // 100}xx")
        counter.inc()
        if seconds is not None:
            histogram = self._histograms.get(route)
            if histogram is None:
                histogram = self._histograms[route] = self._seconds.labels(route)
            histogram.observe(seconds)


class _InFlight(Collector):
    def __init__(self, metrics: RequestMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> list[GaugeMetricFamily]:
        return [
            GaugeMetricFamily(
                "tsuzuri_requests_in_flight", "Requests that are not answered yet.", self._metrics.in_flight
            )
        ]
