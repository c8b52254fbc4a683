"""Pass rates: how many of the calls passed a scenario, one of its steps, or one expectation.

Each call counts once, however often it looped its turns. What a part with a `pass` of its own covers, that part alone
decides: it is left out of the step and the call around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.failures import side_of
from harness.judge.parts import Part, around_expectation, around_failure, keys_in_file, label, limits_of
from harness.metrics.pass_rates import least_calls, lower_bound, wilson_interval
from harness.record.result import CallResult, ExpectationResult, FailureSeen
from harness.record.summary import PassRateResult, Pattern
from harness.scenario.model import Scenario
from harness.scenario.pass_rate import KOfN, PassRate
from harness.text.counted import counted

# What a call says of a part. `ours` and `open` are undecided: by the harness, or because the call did not come to it.
_Outcome = Literal["failed", "ours", "open", "passed"]
_WORST_FIRST: tuple[_Outcome, ...] = ("failed", "ours", "open", "passed")


@dataclass(frozen=True)
class Script:
    """A scenario of the run, and where its keys are written, by their dotted names."""

    model: Scenario
    places: Mapping[str, str] = field(default_factory=dict)


Scripts = Mapping[str, Script]
"""The scenarios of a run, by their names."""


@dataclass
class Tally:
    """What the finished calls say of a part: how many passed it, failed it, or left it undecided."""

    counts: Counter[_Outcome] = field(default_factory=Counter)

    @property
    def passed(self) -> int:
        """How many calls passed."""
        return self.counts["passed"]

    @property
    def failed(self) -> int:
        """How many calls failed."""
        return self.counts["failed"]

    @property
    def decided(self) -> int:
        """In how many calls it was decided."""
        return self.passed + self.failed

    @property
    def ours(self) -> int:
        """In how many calls it was undecided by the harness."""
        return self.counts["ours"]

    @property
    def pattern(self) -> Pattern | None:
        """Whether some calls passed or none did; None if none failed, or only one was decided."""
        if not self.failed or self.decided == 1:
            return None
        return "flicker" if self.passed else "failure"


Tallies = Mapping[Part, Tally]


def tally(calls: Sequence[CallResult], limits: Mapping[Part, PassRate]) -> Tallies:
    """Counts what the calls say of each part; cut calls say nothing.

    Args:
        calls: The calls.
        limits: The parts that have a `pass` of their own.
    """
    found: dict[Part, Tally] = {part: Tally() for part in limits}
    for call in calls:
        if call.cut:
            continue
        said: dict[Part, set[_Outcome]] = {}
        for part, outcome in _outcomes(call, limits):
            said.setdefault(part, set()).add(outcome)
        for part, outcomes in said.items():
            worst = next(outcome for outcome in _WORST_FIRST if outcome in outcomes)
            found.setdefault(part, Tally()).counts[worst] += 1
    return found


def _outcomes(call: CallResult, limits: Mapping[Part, PassRate]) -> Iterator[tuple[Part, _Outcome]]:
    """Yields what each event of a call says of the parts that it counts for."""
    whole = Part(call.scenario)
    yield whole, "passed"
    if call.greeting is not None:
        yield Part(call.scenario, "greeting"), "passed"
    for turn in call.turns:
        if not turn.cut:
            yield Part(call.scenario, turn.step), "passed"
    for wait in call.waits:
        if wait.ended_ms is not None:
            yield Part(call.scenario, wait.step), "passed"
    spoilt = {call.step_of(seen.turn): _of_failure(seen) for seen in call.failures if _of_failure(seen) != "failed"}
    for step, expectation in call.expectations_by_step():
        outcome = _of_expectation(expectation)
        if outcome == "failed" and step is not None:  # the connection or the harness failed in this step, say
            outcome = spoilt.get(step, outcome)
        for part in _up_to_limit(around_expectation(call, step, expectation), limits):
            yield part, outcome
    for seen in call.failures:
        outcome = _of_failure(seen)
        for part in _up_to_limit(around_failure(call, seen), limits):
            yield part, outcome
        if seen.ended and outcome == "failed":
            yield whole, "open"  # the rest of the script was not played


def _up_to_limit(parts: Sequence[Part], limits: Mapping[Part, PassRate]) -> Iterator[Part]:
    """Yields the parts from the innermost to the first that has a limit."""
    for part in parts:
        yield part
        if part in limits:
            return


def _of_expectation(expectation: ExpectationResult) -> _Outcome:
    match expectation.outcome:
        case "held":
            return "passed"
        case "failed":
            return "failed"
        case _:
            return "open" if expectation.by_agent else "ours"


def _of_failure(seen: FailureSeen) -> _Outcome:
    if not seen.fit or side_of(seen.kind) == "harness":
        return "ours"
    return "failed" if side_of(seen.kind) == "agent" else "open"


def all_limits(scripts: Scripts) -> Mapping[Part, PassRate]:
    """Returns how many calls must pass, for each part of the scenarios that says so."""
    return {part: limit for script in scripts.values() for part, limit in limits_of(script.model).items()}


def judge_pass_rates(tallies: Tallies, calls: Sequence[CallResult], scripts: Scripts) -> list[PassRateResult]:
    """Judges each part that has a `pass`; also returns what failed in one of several calls without having one.

    Args:
        tallies: What the calls say, from `tally`.
        calls: The calls.
        scripts: The scenarios; parts of others are left out.
    """
    limits = all_limits(scripts)
    finished = Counter(call.scenario for call in calls if not call.cut)
    order = list(scripts)
    found = []
    for part in sorted((part for part in tallies if part.scenario in scripts), key=lambda part: _in_order(part, order)):
        limit, counts, script = limits.get(part), tallies[part], scripts[part.scenario]
        if limit is None and (counts.pattern is None or not _is_shown(part)):
            continue
        result = _result(part, counts, finished[part.scenario], script.model)
        if limit is not None:
            result.limit, result.place = str(limit), _place(part, script.places)
            _judge(result, limit, counts)
        found.append(result)
    return found


def _in_order(part: Part, order: Sequence[str]) -> tuple[int, int, str]:
    step = -2 if part.step is None else -1 if part.step == "greeting" else part.step
    return order.index(part.scenario), step, part.expect or ""


def _is_shown(part: Part) -> bool:
    """Whether a part without a limit is reported: a step without one would only repeat its expectations."""
    return part.expect is not None or part.step is None


def _result(part: Part, counts: Tally, finished: int, scenario: Scenario) -> PassRateResult:
    low, high = wilson_interval(counts.passed, counts.decided) if counts.decided else (None, None)
    return PassRateResult(
        scenario=part.scenario,
        step=part.step,
        expect=part.expect,
        of=label(scenario, part),
        passed=counts.passed,
        decided=counts.decided,
        undecided=finished - counts.decided,
        low=None if low is None else round(low, 4),
        high=None if high is None else round(high, 4),
        pattern=counts.pattern,
        ours=counts.ours,
    )


def _place(part: Part, places: Mapping[str, str]) -> str:
    key = ".".join(map(str, keys_in_file(part)))
    return places.get(key) or places.get(key.removesuffix(".pass"), "")  # the tools of a list have no places


def needed_calls(limit: PassRate) -> int:
    """Returns how many decided calls a limit needs at least."""
    return limit.n if isinstance(limit, KOfN) else least_calls(limit.rate, limit.confidence)


def _judge(result: PassRateResult, limit: PassRate, counts: Tally) -> None:
    needed, decided = needed_calls(limit), counts.decided
    result.needed = needed
    if not isinstance(limit, KOfN):
        result.bound = round(lower_bound(counts.passed, decided, limit.confidence), 4)
    if decided >= needed:
        result.ok = _is_enough(limit, counts.passed, decided)
        return
    # Had all others passed as well, would it be enough?
    at_best = max(needed, decided + result.undecided)
    if not _is_enough(limit, at_best - counts.failed, at_best):
        result.ok = False
        return
    result.why = f"only {decided} of the {counted(needed, 'call')} that it needs were decided"


def _is_enough(limit: PassRate, passed: int, decided: int) -> bool:
    if isinstance(limit, KOfN):
        return passed * limit.n >= limit.k * decided
    return lower_bound(passed, decided, limit.confidence) >= limit.rate
