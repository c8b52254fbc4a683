"""What a late event loop was late for, in words: from what was noted while it was late (`call/stall.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.counted import counted

WORTH_MS = 20.0  # a packet's own lateness limit: a shorter stall alone makes none late
MOST_OF_IT = 0.5


def longest_stall(lags: Sequence[dict[str, Any]], start_ns: int, end_ns: int) -> dict[str, Any] | None:
    """The longest lag of the event loop between two times that tells what it was for; None where there is none.

    Args:
        lags: `loop.lag` events, at the time at which the loop was due.
        start_ns: From here on.
        end_ns: Up to here.
    """
    told = [event for event in lags if event["late_ms"] >= WORTH_MS and "cpu_ms" in event]
    touching = [each for each in told if each["t"] <= end_ns and each["t"] + each["late_ms"] * 1e6 >= start_ns]
    return max(touching, key=lambda event: float(event["late_ms"]), default=None)


def is_starved(stall: dict[str, Any]) -> bool:
    """Whether the loop had work and no CPU for most of the stall: the time of whatever it was at says nothing then."""
    return _is_most(stall, "waited_ms")


def own_doing(stall: dict[str, Any]) -> str | None:
    """What of our own doing a stall came from; None where nothing of it took the most of the time."""
    if _is_most(stall, "gc_ms"):
        return f"our own garbage collection stopped the process for {stall['gc_ms']:.0f} ms"
    if _is_most(stall, "cpu_ms"):
        return f"our own event loop computed for {stall['cpu_ms']:.0f} ms at a stretch: {_computing(stall)}"
    if _is_most(stall, "measuring_ms"):
        return f"a finished call was being measured for {stall['measuring_ms']:.0f} ms"
    if _is_most(stall, "saving_ms"):
        return f"a finished call's recording was being saved for {stall['saving_ms']:.0f} ms"
    if _is_most(stall, "others_ms"):
        return f"other threads of our own process computed for {stall['others_ms']:.0f} ms"
    if _is_most(stall, "disk_ms"):
        return f"a write to disk took {stall['disk_ms']:.0f} ms"
    if faults := stall.get("page_faults"):
        return f"the machine's memory: ours had to be read from disk again, {counted(int(faults), 'time')}"
    return None


def in_short(stall: dict[str, Any]) -> str:
    """A stall that nothing explains."""
    return f"nothing that was seen: the process was stopped for {stall['late_ms']:.0f} ms, with work to do"


def starved(stall: dict[str, Any]) -> str:
    """A stall in which the loop waited for a CPU."""
    return f"the machine's CPU: ours waited {stall['waited_ms']:.0f} ms for one at a stretch"


def _computing(stall: dict[str, Any]) -> str:
    if _is_most(stall, "hearing_ms"):
        return "it looked at what was heard"
    if _is_most(stall, "sending_ms"):
        return "it sent packets"
    if joining := stall.get("joining"):
        return f"{counted(int(joining), 'call')} joined"
    return "nobody noted what"


def _is_most(stall: dict[str, Any], name: str) -> bool:
    return float(stall.get(name, 0.0)) >= MOST_OF_IT * float(stall["late_ms"])
