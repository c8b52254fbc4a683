"""Asks a Prometheus server what the agent's hosts did while the calls were made, once they are over."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta

from harness.clock import Clock
from harness.observe.api import PrometheusApi, RangeSeries, Trouble
from harness.observe.server_clock import compared_clock
from harness.record.observed import ROUNDED_S, Observed, ObservedQuery, ObservedSeries, ServerClock
from harness.record.result import CallResult
from harness.record.times import utc
from harness.target.observe import Observing
from harness.target.shown import shown_url
from harness.text.plain_text import one_line

BUDGET_S = 20.0  # of all requests
MOST_POINTS = 1000  # of a series
MOST_SERIES = 8  # of a query
MOST_LABELS = 20
LONGEST_LABEL = 100


async def observe(observing: Observing, calls: Sequence[CallResult], clock: Clock) -> Observed | None:
    """Returns what was recorded between the start of the first call and the end of the last.

    Each query is asked once. What went wrong is part of the result.

    Args:
        observing: The server and the queries.
        calls: The calls of the run.
        clock: Time source.

    Returns:
        None if no call has a start.
    """
    observed = unasked(observing, calls)
    if observed is None:
        return None
    async with PrometheusApi(observing, clock, budget_s=BUDGET_S) as api:
        server = await compared_clock(api, clock)
        if isinstance(server, Trouble):
            observed.error = server.words
            return observed
        observed.clock = server
        for query in observed.queries:
            await _ask(api, query, observed, server)
    return observed


def unasked(observing: Observing, calls: Sequence[CallResult], why: str = "") -> Observed | None:
    """What is to be asked, without answers, and `why` there are none; None if no call has a start."""
    lived = [(start, call.duration_ms) for call in calls if (start := utc(call.started)) is not None]
    if not lived:
        return None
    started = min(start for start, _ in lived)
    ended = max(start + timedelta(milliseconds=lasted_ms) for start, lasted_ms in lived)
    until_s = round((ended - started).total_seconds(), 3)
    return Observed(
        prometheus=shown_url(observing.prometheus, secrets=(observing.token,)),
        started=started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        until_s=until_s,
        step_s=_step_s(observing.step_s, until_s),
        error=why,
        queries=[ObservedQuery(name=name, query=query) for name, query in observing.queries.items()],
    )


def _step_s(wanted_s: float, until_s: float) -> float:
    """The step, or a multiple of it with which a series has at most `MOST_POINTS`."""
    return round(wanted_s * max(1, math.ceil(until_s / wanted_s / (MOST_POINTS - 1))), 3)


async def _ask(api: PrometheusApi, query: ObservedQuery, observed: Observed, server: ServerClock) -> None:
    """Fills in the answer to a query, or why there is none."""
    began = utc(observed.started)
    assert began is not None  # noqa: S101 - `unasked` has written it
    zero_s = began.timestamp() + server.offset_s
    answer = await api.range(query.query, from_s=zero_s, until_s=zero_s + observed.until_s, step_s=observed.step_s)
    if isinstance(answer, Trouble):
        query.error = answer.words
    elif not answer:
        query.error = "the query gives no series in this time"
    elif any(series.values is None for series in answer):
        query.error = "the query gives native histograms: take a number of them, as with histogram_quantile(…)"
    else:
        found = [_series(api, series, zero_s, observed.until_s) for series in answer]
        kept = sorted(range(len(found)), key=lambda at: _highest(found[at]), reverse=True)[:MOST_SERIES]
        query.series, query.left_out = [found[at] for at in sorted(kept)], len(found) - len(kept)


def _series(api: PrometheusApi, series: RangeSeries, zero_s: float, until_s: float) -> ObservedSeries:
    labels = list(series.metric.items())[:MOST_LABELS]
    return ObservedSeries(
        labels={api.cleaned(name, LONGEST_LABEL): api.cleaned(value, LONGEST_LABEL) for name, value in labels},
        points=sorted(_points(series, zero_s, until_s), key=lambda point: point[0])[:MOST_POINTS],
    )


def _points(series: RangeSeries, zero_s: float, until_s: float) -> Iterator[tuple[float, float | None]]:
    """The points during the calls, on the run's clock."""
    for server_s, text in series.values or ():
        at_s = server_s - zero_s
        if -ROUNDED_S <= at_s <= until_s + ROUNDED_S:
            yield min(max(0.0, round(at_s, 3)), until_s), _finite(text)


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _highest(series: ObservedSeries) -> float:
    highest = series.stat().max
    return -math.inf if highest is None else highest


def warnings_of(observed: Observed) -> list[str]:
    """What a user must know, each on one line; empty if all went well."""
    found = []
    failed = [query for query in observed.queries if query.error]
    if observed.error:
        found.append(f"the agent's hosts were not observed: {one_line(observed.error)}")
    elif failed:
        each = "; ".join(f"{one_line(query.name)}: {one_line(query.error)}" for query in failed)
        found.append(f"{len(failed)} of {len(observed.queries)} queries of [observe] gave nothing: {each}")
    if observed.clock is not None and observed.clock.is_loud:
        found.append(f"the clock of {one_line(observed.prometheus)} is {observed.clock}: its times are shifted by that")
    return found
