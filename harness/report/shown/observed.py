"""What the agent's hosts did during the run, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from harness.formats import Recorded
from harness.record.observed import Observed, ObservedQuery, ObservedSeries, Stat


class ShownSeries(Stat):
    """A series: what tells it from the others of its query (empty if it is the only one), its mean and its maximum."""

    name: str = ""


class ShownQuery(Recorded):
    """A query: its series, in the order of `observed.json`, and what to say of its answer."""

    series: list[ShownSeries] = Field(default_factory=list)
    note: str = ""


class ShownObserved(Recorded):
    """What was observed.

    Attributes:
        words: Where it is from.
        is_doubtful: Whether nothing was observed, or the clocks differ by much.
        queries: Its queries, in the order of `observed.json`.
    """

    words: str
    is_doubtful: bool = False
    queries: list[ShownQuery] = Field(default_factory=list)


def shown_observed(observed: Observed | None) -> ShownObserved | None:
    """None if nothing was to be observed."""
    if observed is None:
        return None
    clock = observed.clock
    return ShownObserved(
        words=_words(observed),
        is_doubtful=bool(observed.error) or (clock is not None and clock.is_loud),
        queries=[_query(query) for query in observed.queries],
    )


def _words(observed: Observed) -> str:
    if observed.error:
        return f"The agent's hosts were not observed: {observed.error}"
    told = f"From Prometheus at {observed.prometheus}, every {observed.step_s:g} s"
    if observed.clock is None:
        return f"{told}."
    shifted = "; its times are shifted by that" if observed.clock.is_loud else ""
    return f"{told}. Its clock is {observed.clock}{shifted}."


def _query(query: ObservedQuery) -> ShownQuery:
    named = zip(query.series, _names(query.series), strict=True)
    return ShownQuery(
        series=[ShownSeries(name=name, **series.stat().model_dump()) for series, name in named],
        note=f"{query.left_out} more series, with lower values, left out" if query.left_out else "",
    )


def _names(series: Sequence[ObservedSeries]) -> list[str]:
    """The labels in which they differ; a number where they differ in none, as in a redacted copy."""
    if len(series) == 1:
        return [""]
    keys = list(dict.fromkeys(key for each in series for key in each.labels))
    differing = [key for key in keys if len({each.labels.get(key) for each in series}) > 1]
    names = [", ".join(f'{key}="{each.labels[key]}"' for key in differing if key in each.labels) for each in series]
    return [name or f"series {number}" for number, name in enumerate(names, start=1)]
