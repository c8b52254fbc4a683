"""Whether latency came back after the last step: the same number of calls before and after, compared. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.record.capacity import Recovery

SLOWER = 1.1  # so much longer a median is "slower"
LEAST_SAMPLES = 8
_DRAWS = 2000


def recovery(calls: int, before_ms: Sequence[float], after_ms: Sequence[float]) -> Recovery:
    """Compares the TTFA of two holds of as many calls.

    It came back where the median is at most a tenth longer; it did not where that it is more is sure (95 % interval of
    the medians' ratio, bootstrapped over turns: Efron and Tibshirani 1993). In between it is undecided.
    """
    before, after = _median(before_ms), _median(after_ms)
    found = Recovery(calls=calls, before_ms=before, after_ms=after)
    if before is None or after is None or before <= 0:
        return found.model_copy(update={"why": "there was no turn to compare"})
    found.ratio = round(after / before, 3)
    if min(len(before_ms), len(after_ms)) < LEAST_SAMPLES:
        return found.model_copy(update={"why": f"fewer than {LEAST_SAMPLES} turns on one side"})
    rng = np.random.default_rng(0)
    first, second = (
        np.median(rng.choice(np.asarray(values), (_DRAWS, len(values))), axis=1) for values in (before_ms, after_ms)
    )
    low, high = (float(share) for share in np.percentile(second / first, [2.5, 97.5]))
    found.interval = (round(low, 3), round(high, 3))
    found.came_back = False if low > SLOWER else True if found.ratio <= SLOWER else None
    if found.came_back is None:
        found.why = "too few turns to tell"
    return found


def _median(values: Sequence[float]) -> float | None:
    return round(float(np.median(values)), 1) if values else None
