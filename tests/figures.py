"""Reading what a part of /metrics says."""

from collections.abc import Iterable

from prometheus_client.core import Metric


def figures(read: Iterable[Metric]) -> dict[str, float]:
    """Return figures by their name and the values of their labels, such as "hopps_sessions requested"."""
    samples = (sample for family in read for sample in family.samples)
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}
