"""Failures that a run's thresholds excuse.

A threshold on `calls.failed` or `expectations.failed` that held decides alone about the failures it covers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.record.reason import ExpectationFailed
from harness.record.result import CallResult, ExpectationResult
from harness.record.summary import ThresholdResult


class Excused:
    """The failures that the thresholds of one run excuse.

    Args:
        judged: The results of the run's thresholds.
    """

    def __init__(self, judged: Sequence[ThresholdResult]) -> None:
        held = [result for result in judged if result.ok]
        self._calls = [result for result in held if result.metric.metric == "calls.failed"]
        self._expectations = [result for result in held if result.metric.metric == "expectations.failed"]

    def call(self, call: CallResult) -> str | None:
        """Returns the threshold that excuses the call's own failure; None if no threshold does or it did not fail."""
        if call.sure_failure is None or call.cut:
            return None
        tags = {"scenario": call.scenario}
        return _by(self._calls, tags)

    def expectation(self, call: CallResult, expectation: ExpectationResult) -> str | None:
        """Returns the threshold that excuses a failed expectation; None if no threshold does."""
        if expectation.outcome != "failed" or call.cut:
            return None
        return _by(self._expectations, {"scenario": call.scenario, "expect": expectation.expect})

    def counts(self, calls: Sequence[CallResult]) -> dict[str, int]:
        """Returns how often each kind of failure was excused, sorted by its name."""
        found: Counter[str] = Counter()
        for call in calls:
            if call.sure_failure is not None and self.call(call) is not None:
                found[call.sure_failure] += 1
            for _, expectation in call.expectations():
                if self.expectation(call, expectation) is not None:
                    found[str(ExpectationFailed(expectation.expect, expectation.limit))] += 1
        return dict(sorted(found.items()))


def _by(held: Sequence[ThresholdResult], tags: dict[str, str]) -> str | None:
    for result in held:
        if all(tags.get(key) == value for key, value in result.metric.tags):
            return f"{result.metric} {result.limit}"
    return None
