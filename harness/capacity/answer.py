"""Derives the answer from the holds: its words, the exit code, and the curve. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from harness.capacity.edge import CONFIDENCE, Edge
from harness.capacity.search import Held, outcomes, sides
from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNFIT
from harness.metrics.survival import shown_percentile
from harness.record.capacity import Answer, CurvePoint, Ended, Hold, LimitedBy
from harness.text.counted import counted

CRUDE = 2  # when the time is up, an answer that may be wrong by this factor is not valid
_WHY_ENDED: dict[Ended, str] = {
    "time": "the time was up before the edge was found as exactly as it could be",
    "interrupted": "interrupted",
    "enough": "the edge is not sharp",
    "fallen": "the embedded stack fell",
}
_ENDED_CODES: dict[Ended, int] = {
    "interrupted": EXIT_INTERRUPTED,
    "fallen": EXIT_INFRASTRUCTURE,
    "set_up": EXIT_INFRASTRUCTURE,
    "harness": EXIT_UNFIT,
    "time": EXIT_UNFIT,
}


def conclude(steps: Sequence[Hold], ended: Ended, *, most: int | None) -> Answer:
    """Returns the answer after these steps; `most` is --max."""
    decided = [Held.of(hold) for hold in steps if hold.verdict in ("met", "missed")]
    missed = [hold for hold in steps if hold.verdict == "missed"]
    if missed and ended != "set_up":
        edge = Edge(outcomes(decided))
        below, above = sides(decided, edge)
        if above is not None:
            return _limit(steps, ended, edge, below or 0)
    return _no_limit(steps, ended, most)


def _limit(steps: Sequence[Hold], ended: Ended, edge: Edge, calls: int) -> Answer:
    low, high = edge.interval()
    interval = (min(low, calls), max(high, calls))
    by: LimitedBy = _limiter(steps, calls)
    why = next((hold.why for hold in steps if hold.verdict == "missed" and hold.limited_by == by), "")
    words = f"{counted(calls, 'call')}, {100 * CONFIDENCE:.0f} % interval [{interval[0]}, {interval[1]}]"
    words += f"; limited by: {by}"
    if why:
        words += f" ({why})"
    if ended in _WHY_ENDED:
        words += f"; {_WHY_ENDED[ended]}"
    code = EXIT_OK if calls else EXIT_INFRASTRUCTURE if by == "session service" else EXIT_AGENT
    crude = interval[0] * CRUDE < calls or interval[1] > calls * CRUDE
    if ended in ("interrupted", "fallen") or (ended == "time" and crude):
        code = _ENDED_CODES[ended]
    return Answer(calls=calls, interval=interval, limited_by=by, ended=ended, words=words, exit_code=code)


def _limiter(steps: Sequence[Hold], calls: int) -> LimitedBy:
    """Returns what limited most of the missed holds nearest above `calls`."""
    missed = [hold for hold in steps if hold.verdict == "missed" and hold.calls > calls and hold.limited_by]
    nearest = min((hold.calls for hold in missed), default=None)
    blamed = Counter(hold.limited_by for hold in missed if hold.calls == nearest)
    return blamed.most_common(1)[0][0] or "agent" if blamed else "agent"


def _no_limit(steps: Sequence[Hold], ended: Ended, most: int | None) -> Answer:
    met = [hold for hold in steps if hold.verdict == "met"]
    calls = max((hold.calls for hold in met), default=0)
    by: LimitedBy = "not reached"
    last = next((hold.why for hold in reversed(steps) if hold.verdict in ("unfit", "set_up")), "")
    if ended == "set_up":
        words = f"no answer: {last}; the session service or the calls take too long to set up for steps of this length"
    elif ended == "harness":
        by = "harness"
        words = f"not reached: this machine can drive {counted(calls, 'call')}"
        words += "" if calls else ", not even one"
        words += f"; with more of them it was the harness that fell short ({last})"
    elif not met:
        words = f"no answer: no step was judged; {_WHY_ENDED.get(ended, ended)}" + (f" ({last})" if last else "")
    else:
        words = f"not reached: all objectives were met with {counted(calls, 'call')}"
        words += {"max": f", the most asked for (--max {most})", "time": "; the time was up (--max-time)"}.get(
            ended, ""
        )
        words += f"; {_WHY_ENDED[ended]}" if ended in ("interrupted", "fallen") else ""
    low = Edge(outcomes([Held.of(hold) for hold in met])).interval()[0] if met else 0
    return Answer(
        calls=calls,
        interval=(min(low, calls), None),
        limited_by=by,
        ended=ended,
        words=words,
        exit_code=_ENDED_CODES.get(ended, EXIT_OK),
    )


def curve(steps: Sequence[Hold], ttfa_ms: Mapping[int, Sequence[float]]) -> list[CurvePoint]:
    """Returns a point for each number of calls; `ttfa_ms` maps it to the fit samples of all its holds, in ms."""
    points = []
    for calls in sorted({hold.calls for hold in steps}):
        holds = [hold for hold in steps if hold.calls == calls]
        values = ttfa_ms.get(calls, [])
        points.append(
            CurvePoint(
                calls=calls,
                holds=len(holds),
                met=sum(hold.verdict == "met" for hold in holds),
                unfit=sum(hold.verdict == "unfit" for hold in holds),
                turns=sum(hold.turns for hold in holds),
                ttfa_p50=shown_percentile(values, 50),
                ttfa_p95=shown_percentile(values, 95),
                failed=_mean([hold.failed for hold in holds]),
                wrong=_mean([hold.wrong for hold in holds]),
            )
        )
    return points


def _mean(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return round(float(np.mean(known)), 4) if known else None
