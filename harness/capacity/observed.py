"""What the agent's hosts did in each step of a search. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from harness.record.capacity import Capacity, Hold
from harness.record.observed import Observed, Span
from harness.record.times import utc


def with_observed(capacity: Capacity, observed: Observed) -> Capacity:
    """Returns the capacity with the mean and the highest value of each query, by step and by number of calls.

    The values are those at times when all calls of a step were in conversation (its window).
    """
    began = utc(observed.started)
    if began is None or not any(query.series for query in observed.queries):
        return capacity
    spans = {hold.step: _window(hold, began) for hold in capacity.steps}

    def seen(hold: Hold) -> Hold:
        return hold.model_copy(update={"observed": observed.within(_window(hold, began))})

    def seen_with(calls: int) -> Sequence[Span]:
        return [span for hold in capacity.steps if hold.calls == calls for span in spans[hold.step]]

    recovery = capacity.recovery
    if recovery is not None and recovery.step is not None:
        recovery = recovery.model_copy(update={"step": seen(recovery.step)})
    curve = [point.model_copy(update={"observed": observed.within(seen_with(point.calls))}) for point in capacity.curve]
    steps = [seen(hold) for hold in capacity.steps]
    return capacity.model_copy(update={"curve": curve, "steps": steps, "recovery": recovery})


def _window(hold: Hold, began: datetime) -> list[Span]:
    """The window of a hold, in seconds since `began`; empty if it is not known."""
    started = utc(hold.started)
    if started is None:
        return []
    from_s = (started - began).total_seconds() + hold.set_up_s
    return [(from_s, from_s + hold.window_s)]
