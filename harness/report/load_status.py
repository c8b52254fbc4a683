"""What a load shows while it runs, and what its bursts came to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.counted import counted
from harness.measure.percentiles import percentile
from harness.measure.result import CallResult
from harness.report.numbers import with_ms

if TYPE_CHECKING:
    from rich.console import Console

EVERY_S = 5.0  # between two lines
_BURST = re.compile(r"^(?:w\d+-)?b(\d+)-")


class StatusLine:
    """A line every few seconds: how many calls run, how many have ended, and how."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._next_s = 0.0
        self._phase = ""

    def say(self, line: str) -> None:
        """A line for a person."""
        if not self._quiet:
            self._console.print(line)

    def status(self, told: dict[str, Any]) -> None:
        """What the master says once a second."""
        if self._quiet or (told["elapsed_s"] < self._next_s and told["phase"] == self._phase):
            return
        self._phase = told["phase"]
        self._next_s = told["elapsed_s"] + EVERY_S
        ended = told["ended"]
        parts = [f"{told['elapsed_s']:5.0f} s  {told['phase']}", f"{counted(told['alive'], 'call')} alive"]
        parts += [f"{ended[how]} {how}" for how in ("ok", "failed", "cut") if ended.get(how)]
        parts += [f"{told['dropped']} dropped"] if told["dropped"] else []
        parts += [f"{told['unfit']} of {told['turns']} turns unfit"] if told["unfit"] else []
        parts += [f"{count} {kind}" for kind, count in sorted(told["failures"].items())]
        self._console.print("  ".join(parts))


def burst_lines(calls: Sequence[CallResult]) -> list[str]:
    """For each size of burst: who joined how soon, who never came, where two agents came; none without bursts."""
    by_size: dict[int, list[CallResult]] = {}
    for call in calls:
        found = _BURST.match(call.call)
        if found is not None:
            by_size.setdefault(int(found[1]), []).append(call)
    return [_burst_line(size, members) for size, members in sorted(by_size.items())]


def _burst_line(size: int, calls: Sequence[CallResult]) -> str:
    joins = [call.agent_join_ms for call in calls if call.agent_join_ms is not None]
    late = [call.start_late_ms for call in calls if call.start_late_ms is not None]
    never = sum(call.failure == "agent.never_joined" for call in calls)
    doubled = sum(call.agents > 1 for call in calls)
    line = f"burst of {size}: an agent joined {len(joins)} of {counted(len(calls), 'call')}"
    if joins:
        half, most, last = percentile(joins, 50), percentile(joins, 95), max(joins)
        line += f" (p50 {with_ms(half)}, p95 {with_ms(most)}, last {with_ms(last)})"
    line += f", {never} never, {doubled} twice"
    return line + (f"; started within {with_ms(max(late))}" if late else "")
