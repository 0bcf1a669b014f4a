"""Counters, gauges and histograms of a program, one registry, rendered as Prometheus text."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_REGISTRY = CollectorRegistry()

_DROPPED = Counter(
    "linli_dropped",
    "Things that were not taken, by program and reason; nothing is dropped without being counted here.",
    ("program", "reason"),
    registry=_REGISTRY,
)


def dropped(program: str, reason: str) -> None:
    """Count one thing that was not taken."""
    _DROPPED.labels(program, reason).inc()


def dropped_count(program: str, reason: str) -> float:
    """Return how many things `program` dropped for `reason` since it started."""
    return _REGISTRY.get_sample_value("linli_dropped_total", {"program": program, "reason": reason}) or 0.0


def counter(name: str, description: str, labels: Sequence[str] = ()) -> Counter:
    """Make a counter; `name` is `linli_<what>_<unit>` without `_total`."""
    return Counter(name, description, labels, registry=_REGISTRY)


def gauge(name: str, description: str, labels: Sequence[str] = ()) -> Gauge:
    """Make a gauge; `name` is `linli_<what>_<unit>`."""
    return Gauge(name, description, labels, registry=_REGISTRY)


def histogram(
    name: str,
    description: str,
    labels: Sequence[str] = (),
    buckets: Sequence[float] = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10),
) -> Histogram:
    """Make a histogram in seconds unless the name says another unit."""
    return Histogram(name, description, labels, registry=_REGISTRY, buckets=tuple(buckets))


def render() -> bytes:
    """Return all metrics of this process in the Prometheus text format."""
    return generate_latest(_REGISTRY)
