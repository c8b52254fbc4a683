"""Why the event loop was late, from what was recorded meanwhile (`machine/stall.py`)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.record.ran_out import RanOut
from harness.text.counted import counted
from harness.timeline.events import LoopWasLate

WORTH_MS = 20.0  # the lateness limit of a packet: a shorter stall alone makes none late
MOST_OF_IT = 0.5


def longest_stall(lags: Sequence[LoopWasLate], start_ns: int, end_ns: int) -> LoopWasLate | None:
    """The longest lag of the event loop with a recorded cause that overlaps an interval; None if there is none.

    Args:
        lags: `loop.lag` events, with the times at which the loop was due.
        start_ns: The start of the interval.
        end_ns: The end of the interval.
    """
    told = [event for event in lags if event.late_ms >= WORTH_MS and event.tells_why]
    touching = [each for each in told if each.t_ns <= end_ns and each.t_ns + each.late_ms * 1e6 >= start_ns]
    return max(touching, key=lambda event: event.late_ms, default=None)


def is_starved(stall: LoopWasLate) -> bool:
    """Whether the loop waited for a CPU for most of the stall; what it was doing is then irrelevant."""
    return _is_most(stall, stall.waited_ms)


def own_doing(stall: LoopWasLate) -> RanOut | None:
    """The cause of a stall within the harness; None if none accounts for most of the time."""
    if _is_most(stall, stall.gc_ms):
        return RanOut("collection", figure=round(stall.gc_ms))
    if _is_most(stall, stall.cpu_ms):
        return RanOut("computing", figure=round(stall.cpu_ms), detail=_computing(stall))
    if _is_most(stall, stall.measuring_ms):
        return RanOut("measuring", figure=round(stall.measuring_ms))
    if _is_most(stall, stall.saving_ms):
        return RanOut("saving", figure=round(stall.saving_ms))
    if _is_most(stall, stall.others_ms):
        return RanOut("threads", figure=round(stall.others_ms))
    if _is_most(stall, stall.disk_ms):
        return RanOut("disk", figure=round(stall.disk_ms))
    if faults := stall.page_faults:
        return RanOut("memory", figure=faults)
    return None


def unexplained(stall: LoopWasLate) -> RanOut:
    """A stall that nothing explains."""
    return RanOut("stopped", figure=round(stall.late_ms))


def starved(stall: LoopWasLate) -> RanOut:
    """A stall in which the loop waited for a CPU."""
    return RanOut("waited", figure=round(stall.waited_ms))


def _computing(stall: LoopWasLate) -> str:
    if _is_most(stall, stall.hearing_ms):
        return "it looked at what was heard"
    if _is_most(stall, stall.sending_ms):
        return "it sent packets"
    if joining := stall.joining:
        return f"{counted(joining, 'call')} joined"
    return "the cause was not recorded"


def _is_most(stall: LoopWasLate, part_ms: float) -> bool:
    return part_ms >= MOST_OF_IT * stall.late_ms
