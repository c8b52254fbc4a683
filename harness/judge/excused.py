"""Failures that a run's thresholds and pass rates excuse.

A threshold on `calls.failed` or `expectations.failed` that held decides alone about the failures it covers. So does a
`pass` of a scenario that held; of several around a failure, the innermost decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.failures import side_of
from harness.judge.parts import Part, around_expectation, around_failure
from harness.record.reason import ExpectationFailed
from harness.record.result import CallResult, ExpectationResult, StepOf
from harness.record.summary import PassRateResult, Summary, ThresholdResult

EXCUSED_BY = "excused by thresholds and pass rates"


class Excused:
    """The failures that the thresholds and pass rates of one run excuse.

    Args:
        judged: The results of the run's thresholds.
        pass_rates: The results of the scenarios' pass rates.
    """

    def __init__(self, judged: Sequence[ThresholdResult], pass_rates: Sequence[PassRateResult] = ()) -> None:
        held = [result for result in judged if result.ok]
        self._calls = [result for result in held if result.metric.metric == "calls.failed"]
        self._expectations = [result for result in held if result.metric.metric == "expectations.failed"]
        self._pass_rates = {
            Part(result.scenario, result.step, result.expect): result
            for result in pass_rates
            if result.limit is not None
        }

    @classmethod
    def of(cls, summary: Summary | None) -> Excused:
        """Returns what the thresholds and pass rates of a judged run excuse; nothing if it was not judged."""
        return cls([]) if summary is None else cls(summary.thresholds, summary.pass_rates)

    def call(self, call: CallResult) -> str | None:
        """Returns what excuses the call's own failure; None if nothing does or it did not fail."""
        if call.sure_failure is None or call.cut:
            return None
        tags = {"scenario": call.scenario}
        return _by(self._calls, tags) or self._pass_around_failures(call)

    def expectation(self, call: CallResult, step: StepOf, expectation: ExpectationResult) -> str | None:
        """Returns what excuses a failed expectation of a step; None if nothing does."""
        if expectation.outcome != "failed" or call.cut:
            return None
        tags = {"scenario": call.scenario, "expect": expectation.expect}
        return _by(self._expectations, tags) or self._held_pass(around_expectation(call, step, expectation))

    def _pass_around_failures(self, call: CallResult) -> str | None:
        """Returns the pass rates that excuse all failures of a call; None if one is not the agent's or not excused."""
        sure = [seen for seen in call.failures if seen.fit]
        if not sure or any(side_of(seen.kind) != "agent" for seen in sure):
            return None
        by = [self._held_pass(around_failure(call, seen)) for seen in sure]
        named = [each for each in by if each is not None]
        return ", ".join(dict.fromkeys(named)) if len(named) == len(by) else None

    def _held_pass(self, parts: Sequence[Part]) -> str | None:
        """Returns the innermost pass rate of these parts, if it held."""
        innermost = next((self._pass_rates[part] for part in parts if part in self._pass_rates), None)
        return f"pass {innermost.limit} of {innermost.name}" if innermost is not None and innermost.ok else None

    def counts(self, calls: Sequence[CallResult]) -> dict[str, int]:
        """Returns how often each kind of failure was excused, sorted by its name."""
        found: Counter[str] = Counter()
        for call in calls:
            if call.sure_failure is not None and self.call(call) is not None:
                found[call.sure_failure] += 1
            for step, expectation in call.expectations_by_step():
                if self.expectation(call, step, expectation) is not None:
                    found[str(ExpectationFailed(expectation.expect, expectation.limit))] += 1
        return dict(sorted(found.items()))


def _by(held: Sequence[ThresholdResult], tags: dict[str, str]) -> str | None:
    for result in held:
        if all(tags.get(key) == value for key, value in result.metric.tags):
            return f"{result.metric} {result.limit}"
    return None
