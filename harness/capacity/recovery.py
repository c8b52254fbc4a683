"""Decides whether latency recovered after the last step, by the same number of calls before and after. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.record.capacity import Recovery

SLOWER = 1.1  # a median over this multiple is "slower"
LEAST_SAMPLES = 8
_DRAWS = 2000


def recovery(calls: int, before_ms: Sequence[float], after_ms: Sequence[float]) -> Recovery:
    """Compares the TTFA, in ms, of two holds with the same number of calls.

    Latency recovered (`came_back` is True) if the median is at most a tenth longer. It did not (False) if the 95 %
    interval of the medians' ratio lies above that (bootstrap over turns: Efron and Tibshirani 1993). In between, the
    result is None.
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
