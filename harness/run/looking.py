"""Looks at the comparison of a growing run, and decides whether enough is known to stop (`--repeat auto`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from harness.process.signals import Signals
from harness.record.comparison import Comparison, Look
from harness.record.result import CallResult
from harness.run.baselines import compared_with_own
from harness.run.pacing import Pace
from harness.run.run import Run
from harness.text.counted import counted


class Looking:
    """What a `Runner` calls at its planned looks, while no call is running.

    Args:
        run: The run. Its settings record the look, since the levels of error depend on it.
        pace: Its pace, with the planned looks.
        say: Prints a line.
        signals: After a signal there is nothing to decide.
    """

    def __init__(self, run: Run, pace: Pace, say: Callable[[str], None], signals: Signals) -> None:
        self._run = run
        self._pace = pace
        self._say = say
        self._signals = signals

    async def at(self, number: int, is_last: bool, results: Sequence[CallResult]) -> bool:
        """Takes a look and returns whether every metric is decided.

        Args:
            number: Which of the planned looks it is, from 1.
            is_last: Whether no more calls will be made.
            results: The calls so far.
        """
        planned = list(self._pace.calls_at_looks)
        self._run.settings.look = Look(number=number, planned=planned, is_last=is_last)
        if self._signals.received:
            return True
        compared = await asyncio.to_thread(compared_with_own, self._run.directory, self._run.settings, results)
        if compared is None:
            return False
        self._say(f"look {number} of {len(planned)}, {_state(compared)}")
        return compared.is_decided


def _state(comparison: Comparison) -> str:
    sides = f"{comparison.baseline.calls} and {comparison.run.calls} calls"
    waiting = comparison.undecided
    if not waiting:
        return f"{sides}: {comparison.verdict}"
    names = ", ".join(dict.fromkeys(one.metric for one in waiting))
    enough = [one.enough_calls for one in waiting]
    known = [number for number in enough if number is not None]
    would = f"; {counted(max(known), 'call')} a side would be enough" if len(known) == len(enough) else ""
    return f"{sides}: undecided: {names}{would}"
