"""What a minute of a call costs to look at and to measure in a call of 10 minutes, 1 h and 4 h: no more in any.

The figures go to `reports/bench/latest.json` under "long_calls": the times, and each length's against that of 10 min.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latest import record
from rich.console import Console
from rich.table import Table

from harness.hearing.voice import reply_to_speech, speaks_at, stop_after, talking_since
from harness.measure.call import measure_call
from harness.timeline.spans import gather

sys.path.append(str(Path(__file__).parents[1] / "measure"))
from tests.measure.timelines import CallMade, long_call  # the maker of those tests

MINUTES = (10, 60, 240)
LOOKS = 2000
TRIES = 3


def least_s(work: Callable[[], object]) -> float:
    """Of some tries the shortest: the others had the machine's company."""
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def cost(call: CallMade, minutes: int) -> dict[str, Any]:
    events = call.events()
    voices = gather(events).voices
    now_ns = (voices[-1].end_ns or 0) + 1_000_000_000
    start_ns, end_ns = now_ns - 4_000_000_000, now_ns - 1_000_000_000

    def look() -> None:
        for _ in range(LOOKS):
            talking_since(voices, gap_ns=1_500_000_000, known_until_ns=now_ns)
            reply_to_speech(voices, start_ns, end_ns)
            speaks_at(voices, start_ns)
            stop_after(voices, start_ns, known_until_ns=now_ns)

    measured_s = least_s(lambda: measure_call(events))
    return {
        "minutes": minutes,
        "voices": len(voices),
        "measured_ms_a_minute": round(1000 * measured_s / minutes, 3),
        "look_us": round(1e6 * least_s(look) / LOOKS, 2),
    }


def test_a_minute_of_a_long_call_costs_what_one_of_a_short_call_does() -> None:
    rows = [cost(long_call(minutes), minutes) for minutes in MINUTES]
    table = Table("length", "voices", "measuring a minute (ms)", "of 10 min's", "a look (us)", "of 10 min's")
    for row in rows:
        for name in ("measured_ms_a_minute", "look_us"):
            row[f"{name}_of_10_min"] = round(row[name] / rows[0][name], 2)
        table.add_row(
            f"{row['minutes']} min",
            str(row["voices"]),
            str(row["measured_ms_a_minute"]),
            str(row["measured_ms_a_minute_of_10_min"]),
            str(row["look_us"]),
            str(row["look_us_of_10_min"]),
        )
    Console().print(table)
    record("long_calls", {f"{row['minutes']} min": row for row in rows})
