"""Verdicts: what is called a regression, what is called the same, and what is left open."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compare.decide import LEAST_CALLS, Decision, decide
from harness.metrics.registry import METRICS
from harness.record.call_samples import AtLeast, CallSamples, Cell, Several
from harness.record.comparison import Compared, ComparisonSettings, SmallestEffect
from tests.compare.drawn import OF_REPLY, at_speed, draw, later


def calls_of(**metrics: list[dict[int, Cell] | Cell | None]) -> list[CallSamples]:
    """Calls of scenario `x`, from the values of each metric (`_` for the dot), by turn or of the whole call."""
    count = max(map(len, metrics.values()))
    samples: list[dict[str, dict[int, Cell]]] = [{} for _ in range(count)]
    for name, cells in metrics.items():
        for place, cell in enumerate(cells):
            if cell is not None:
                samples[place][name.replace("_", ".", 1)] = cell if isinstance(cell, dict) else {0: cell}
    return [CallSamples(call=f"{place:04}", scenario="x", samples=each) for place, each in enumerate(samples)]


def only(decision: Decision, metric: str, turn: int | None = None) -> Compared:
    [found] = [one for one in decision.compared if (one.metric, one.turn) == (metric, turn)]
    return found


def around(mean: float, spread: float, count: int, seed: int = 1) -> list[dict[int, Cell]]:
    """Values of turn 1, evenly spread about their mean in any order."""
    values = np.random.default_rng(seed).permutation(np.linspace(mean - spread, mean + spread, count))
    return [{1: float(value)} for value in values]


def test_the_same_agent_twice_is_hardly_ever_a_regression_and_a_later_one_nearly_always() -> None:
    rng = np.random.default_rng(4)
    false_alarms = sum(
        any(one.verdict == "regression" for one in decide(draw(rng, 20), draw(rng, 20)).compared) for _ in range(14)
    )
    assert false_alarms <= 1
    found = [
        only(decide(draw(rng, 30), draw(rng, 30, later(by_ms=300))), "turn.ttfa").verdict == "regression"
        for _ in range(6)
    ]
    assert sum(found) >= 5


def test_a_large_difference_of_few_calls_is_no_regression() -> None:
    found = only(decide(calls_of(turn_ttfa=around(800, 500, 6)), calls_of(turn_ttfa=around(1000, 500, 6))), "turn.ttfa")
    assert found.effect == pytest.approx(200)
    assert found.verdict == "not enough data"
    assert found.enough_calls is not None
    assert found.enough_calls > 6


@pytest.mark.parametrize(
    ("mean", "effect"),
    [(2000, 120), (300, 45)],  # over 50 ms but not 10 %; over 10 % but not 50 ms
)
def test_a_difference_must_exceed_both_the_share_and_the_time(mean: float, effect: float) -> None:
    before, after = around(mean, 20, 100), around(mean + effect, 20, 100, seed=2)
    found = only(decide(calls_of(turn_ttfa=before), calls_of(turn_ttfa=after)), "turn.ttfa")
    assert found.low is not None
    assert found.low > 0
    assert found.verdict == "same"
    both = ComparisonSettings(smallest=SmallestEffect(share=0.05, ms=40))
    found = only(decide(calls_of(turn_ttfa=before), calls_of(turn_ttfa=after), settings=both), "turn.ttfa")
    assert found.verdict == "regression"
    assert found.effect == pytest.approx(effect)
    assert found.relative == pytest.approx(effect / mean, abs=1e-4)
    assert found.q is not None
    assert found.q <= 0.05


def test_same_is_shown_by_the_interval_and_never_by_few_calls() -> None:
    wide = only(
        decide(calls_of(turn_ttfa=around(800, 600, 20)), calls_of(turn_ttfa=around(800, 600, 20, 2))), "turn.ttfa"
    )
    assert wide.effect == pytest.approx(0)
    assert wide.verdict == "not enough data"
    few = [{1: 800.0}] * (LEAST_CALLS - 1)
    assert only(decide(calls_of(turn_ttfa=few), calls_of(turn_ttfa=few)), "turn.ttfa").verdict == "not enough data"
    enough = [{1: 800.0}] * LEAST_CALLS
    assert only(decide(calls_of(turn_ttfa=enough), calls_of(turn_ttfa=enough)), "turn.ttfa").verdict == "same"


def test_an_improvement_is_told_from_a_regression_and_a_level_only_changes() -> None:
    before = calls_of(turn_ttfa=around(1000, 50, 30), audio_level_dbfs=list(np.linspace(-23, -22, 30)))
    after = calls_of(turn_ttfa=around(700, 50, 30), audio_level_dbfs=list(np.linspace(-33, -32, 30)))
    decision = decide(before, after)
    assert only(decision, "turn.ttfa").verdict == "improvement"
    assert only(decision, "turn.ttfa", 1).verdict == "improvement"
    level = only(decision, "audio.level_dbfs")
    assert (level.verdict, level.decides) == ("changed", False)


def test_every_metric_says_which_direction_is_worse_or_that_none_is() -> None:
    assert {metric.name for metric in METRICS.values() if metric.worse == "neither"} == {
        "audio.level_dbfs",
        "harness.lag",
        "harness.send_late",
        "turns.unfit",
    }
    assert {metric.worse for metric in METRICS.values()} == {"higher", "neither"}


def test_a_metric_of_one_side_only_is_said_and_decides_nothing() -> None:
    before = calls_of(turn_ttfa=around(800, 50, 30))
    after = calls_of(turn_ttfa=around(800, 50, 30), turn_ttfa_ear=around(850, 50, 30))
    found = only(decide(before, after), "turn.ttfa_ear")
    assert (found.verdict, found.only, found.why) == ("not enough data", "run", "only the run has it")
    assert decide(before, after).decided


def test_rates_of_small_counts() -> None:
    def rates(failed: int, count: int) -> list[CallSamples]:
        return calls_of(calls_failed=[float(place < failed) for place in range(count)])

    assert only(decide(rates(0, 30), rates(0, 30)), "calls.failed").verdict == "not enough data"
    none = only(decide(rates(0, 100), rates(0, 100)), "calls.failed")
    assert (none.verdict, none.effect) == ("same", 0)
    assert none.high is not None
    assert none.high > 0.03  # none of 100 is no proof of never
    assert only(decide(rates(1, 30), rates(3, 30)), "calls.failed").verdict == "not enough data"
    found = only(decide(rates(1, 30), rates(14, 30)), "calls.failed")
    assert found.verdict == "regression"
    assert (found.baseline.failed, found.run.failed, found.run.samples) == (1, 14, 30)


def test_slow_turns_that_are_missing_on_one_side_are_no_improvement() -> None:
    rng = np.random.default_rng(3)

    def talks(missing: float) -> list[CallSamples]:
        turns = [{1: 500 + rng.normal(0, 20), 2: 2000 + rng.normal(0, 20)} for _ in range(40)]
        return calls_of(turn_ttfa=[{1: both[1]} if rng.random() < missing else both for both in turns])

    found = only(decide(talks(0.0), talks(0.6)), "turn.ttfa")
    assert found.effect == pytest.approx(0, abs=20)
    assert found.verdict == "same"


def test_turns_of_one_call_are_not_independent() -> None:
    # Each call is slow or fast as a whole: 8 turns say no more than 1.
    rng = np.random.default_rng(5)

    def talks(turns: int) -> list[CallSamples]:
        whole = rng.normal(1000, 200, 20)
        return calls_of(turn_ttfa=[{turn: float(each) for turn in range(1, turns + 1)} for each in whole])

    one, eight = (only(decide(talks(turns), talks(turns)), "turn.ttfa") for turns in (1, 8))
    assert one.high is not None
    assert one.low is not None
    assert eight.high is not None
    assert eight.low is not None
    assert (eight.high - eight.low) / (one.high - one.low) > 0.6


def test_values_that_are_lower_bounds_are_not_taken_for_the_value() -> None:
    before = calls_of(turn_ttfa=around(1000, 300, 40))
    cut: list[dict[int, Cell]] = [
        {1: AtLeast(at_least=10.0)} if place % 4 == 0 else each
        for place, each in enumerate(around(1000, 300, 40, seed=2))
    ]
    found = only(decide(before, calls_of(turn_ttfa=cut)), "turn.ttfa")
    assert found.run.mean == pytest.approx(1000, rel=0.05)


def test_several_values_of_a_call_weigh_as_many() -> None:
    several: list[dict[int, Cell]] = [{0: Several(mean=1.0, of=2), 1: Several(mean=0.0, of=8)}] * 30
    none: list[dict[int, Cell]] = [{0: Several(mean=0.0, of=2), 1: Several(mean=0.0, of=8)}] * 30
    found = only(
        decide(calls_of(expectations_failed=none), calls_of(expectations_failed=several)), "expectations.failed"
    )
    assert (found.run.failed, found.run.samples, found.run.mean) == (60, 300, 0.2)


def test_pairs_of_neighbouring_calls_are_spared_the_drift_of_the_machine() -> None:
    rng = np.random.default_rng(6)
    drift = [at_speed(float(speed)) for speed in np.linspace(1.0, 3.0, 40)]
    slower = [lambda metric, value, one=one: later(by_share=0.3)(metric, one(metric, value)) for one in drift]
    alone = decide(draw(rng, 40, drift), draw(rng, 40, slower))
    rng = np.random.default_rng(6)
    paired = decide(draw(rng, 40, drift, in_blocks=True), draw(rng, 40, slower, in_blocks=True))
    assert (alone.paired, paired.paired) == (False, True)
    widths = [
        one.high - one.low for each in (alone, paired) if (one := only(each, "turn.ttfa")) and one.high and one.low
    ]
    assert widths[1] < widths[0]
    assert only(paired, "turn.ttfa").verdict == "regression"


def test_a_block_without_a_value_on_one_side_is_left_out() -> None:
    before = [
        call.model_copy(update={"block": place}) for place, call in enumerate(calls_of(turn_ttfa=around(800, 9, 20)))
    ]
    cells = [None if place == 3 else each for place, each in enumerate(around(900, 9, 20))]
    after = [call.model_copy(update={"block": place}) for place, call in enumerate(calls_of(turn_ttfa=cells))]
    found = only(decide(before, after), "turn.ttfa")
    assert (found.baseline.calls, found.run.calls) == (19, 19)
    assert found.effect == pytest.approx(100)


def test_the_same_calls_get_the_same_verdicts_again() -> None:
    rng = np.random.default_rng(7)
    before, after = draw(rng, 20), draw(rng, 20, later(by_ms=200))
    assert decide(before, after) == decide(before, after)


def test_so_many_calls_as_are_said_to_be_enough_are_enough() -> None:
    rng = np.random.default_rng(8)
    first = only(decide(draw(rng, 12), draw(rng, 12, later(by_ms=350))), "turn.dead_air")
    assert first.enough_calls is not None
    count = max(LEAST_CALLS, first.enough_calls)
    decided = [
        only(decide(draw(rng, count), draw(rng, count, later(by_ms=350))), "turn.dead_air").verdict for _ in range(5)
    ]
    assert decided.count("regression") >= 4


def test_each_scenario_is_compared_by_itself() -> None:
    def both(slow: float) -> list[CallSamples]:
        one = calls_of(turn_ttfa=around(500, 20, 20))
        other = calls_of(turn_ttfa=around(slow, 20, 20))
        return one + [call.model_copy(update={"scenario": "y", "call": f"y{call.call}"}) for call in other]

    decision = decide(both(2000), both(2600))
    verdicts = {one.scenario: one.verdict for one in decision.compared if one.turn is None}
    assert verdicts == {"x": "same", "y": "regression"}
    assert set(OF_REPLY) <= set(METRICS)
