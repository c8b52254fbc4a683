"""Which samples a threshold is on: a metric, narrowed by tags."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricRef:
    """A metric, narrowed by tags: `turn.ttfa{kind:say}`."""

    metric: str
    tags: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        inner = ",".join(f"{key}:{value}" for key, value in self.tags)
        return f"{self.metric}{{{inner}}}" if inner else self.metric

    @classmethod
    def read(cls, text: str) -> MetricRef:
        """The metric that `str` of it was; whether there is such a one is asked elsewhere."""
        metric, _, inner = text.removesuffix("}").partition("{")
        tags = (part.partition(":") for part in inner.split(",") if part)
        return cls(metric, tuple((key, value) for key, _, value in tags))
