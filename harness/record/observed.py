"""The model of `observed.json`: what a Prometheus server recorded of the agent's hosts during the run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from harness.formats import Recorded

# From this on, reports warn that the clocks of the two machines differ.
LOUD_OFFSET_S = 1.0
ROUNDED_S = 0.001  # times are stored to the millisecond

Span = tuple[float, float]
"""From and until, in seconds since the start of the first call; both belong to it."""


class ServerClock(Recorded):
    """The clock of the Prometheus server, compared with that of the machine that asked.

    Attributes:
        offset_s: How far it is ahead. Times in the file are without it.
        uncertainty_s: The offset is known to plus or minus this.
    """

    offset_s: float
    uncertainty_s: float

    @property
    def is_loud(self) -> bool:
        """Whether reports warn: the offset is large, or known too roughly."""
        return abs(self.offset_s) > LOUD_OFFSET_S or self.uncertainty_s > LOUD_OFFSET_S

    def __str__(self) -> str:
        direction = "ahead of" if self.offset_s >= 0 else "behind"
        return f"{abs(self.offset_s):.3f} s {direction} this machine's (± {self.uncertainty_s:.3f} s)"


class Stat(Recorded):
    """The mean and the highest of some values; None if there are none."""

    mean: float | None = None
    max: float | None = None


class ObservedStat(Stat):
    """The values of a query, of all its series, in some stretches of time."""

    query: str


class ObservedSeries(Recorded):
    """One series of a query.

    Attributes:
        labels: Its labels.
        points: Seconds since the start of the first call, and the value; None where it was not a finite number.
    """

    labels: dict[str, str] = Field(default_factory=dict)
    points: list[tuple[float, float | None]] = Field(default_factory=list)

    def stat(self) -> Stat:
        """The mean and the highest of its values."""
        return stat(value for _, value in self.points)


class ObservedQuery(Recorded):
    """One query of `[observe.queries]` and its answer.

    Attributes:
        name: Its name.
        query: The PromQL.
        series: Its series, those with the highest values if there are too many.
        left_out: How many series are not here.
        error: Why there is no answer; empty if there is one.
    """

    name: str
    query: str
    series: list[ObservedSeries] = Field(default_factory=list)
    left_out: int = 0
    error: str = ""


class Observed(Recorded):
    """The complete `observed.json`. Values have the units of the queries.

    Attributes:
        version: The format version.
        prometheus: The server's URL.
        started: The start of the first call, UTC: what points count from.
        until_s: The end of the last call, in seconds from there.
        step_s: The time between two points.
        clock: The server's clock; None if it was not reached.
        error: Why nothing could be asked; empty if it could.
        queries: The queries, in the order of the configuration.
    """

    version: Literal[1] = 1
    prometheus: str
    started: str
    until_s: float
    step_s: float
    clock: ServerClock | None = None
    error: str = ""
    queries: list[ObservedQuery] = Field(default_factory=list)

    def within(self, spans: Sequence[Span]) -> list[ObservedStat]:
        """The mean and the highest value in these stretches of time of each query with an answer, over its series."""
        return [
            ObservedStat(
                query=query.name,
                **stat(
                    value
                    for series in query.series
                    for at_s, value in series.points
                    if any(from_s <= at_s <= until_s for from_s, until_s in spans)
                ).model_dump(),
            )
            for query in self.queries
            if query.series
        ]

    def to_json(self) -> str:
        """Returns the file's text, with a line for each series."""
        head = self.model_copy(update={"queries": []}).model_dump_json(indent=2).removesuffix("[]\n}")
        queries = ",\n    ".join(query.model_dump_json() for query in self.queries)
        return f"{head}[\n    {queries}\n  ]\n}}\n" if queries else f"{head}[]\n}}\n"


def stat(values: Iterable[float | None]) -> Stat:
    """The mean, to six significant digits, and the highest of the values that are there."""
    known = [value for value in values if value is not None]
    if not known:
        return Stat()
    mean = math.fsum(value / len(known) for value in known)  # a sum of large values may overflow
    return Stat(mean=float(f"{mean:.6g}"), max=max(known))
