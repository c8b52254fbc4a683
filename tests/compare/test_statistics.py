"""The statistics against scipy's own, where that has the same; and errors that hold over several looks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from harness.compare.censored import with_expected
from harness.compare.decide import _adjusted, decide
from harness.compare.enough import POWER, _reach
from harness.compare.intervals import _limits, of_means, of_pairs, of_rates
from harness.compare.looks import level_at, planned_looks, spent
from harness.compare.permutation import p_of_independent, p_of_pairs, resamples_for
from harness.metrics.pass_rates import lower_bound, wilson_interval
from harness.metrics.survival import survival_mean
from harness.record.comparison import Look
from tests.compare.drawn import draw, recorded


def test_intervals_of_means_are_those_of_scipy_also_where_values_are_missing() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.lognormal(size=(3, 20)), rng.lognormal(size=(3, 30))
    before[1, 4] = after[2, 5:9] = np.nan
    found = of_means(before, after, 0.95)
    expected = stats.ttest_ind(after, before, axis=1, equal_var=False, nan_policy="omit").confidence_interval(0.95)
    assert found.low == pytest.approx(expected.low)
    assert found.high == pytest.approx(expected.high)
    paired = of_pairs(before, after[:, :20], 0.9)
    wanted = stats.ttest_rel(after[0, :20], before[0]).confidence_interval(0.9)
    assert (paired.low[0], paired.high[0]) == pytest.approx((wanted.low, wanted.high))


def test_constant_values_have_an_interval_without_width() -> None:
    found = of_means(np.zeros((1, 10)), np.ones((1, 10)), 0.95)
    assert (found.low[0], found.high[0]) == (1, 1)


def test_limits_of_a_rate_without_cases_are_those_of_clopper_and_pearson() -> None:
    none = (np.zeros((1, 30)), np.ones((1, 30)))
    found = of_rates(none, none, 0.95)
    limit = stats.binomtest(0, 30).proportion_ci(method="exact").high
    assert (found.low[0], found.high[0]) == pytest.approx((-limit, limit))


def test_cases_that_come_in_the_same_calls_have_a_wider_interval() -> None:
    counts = np.full((1, 30), 8.0)
    together, apart = np.zeros((1, 30)), np.zeros((1, 30))
    together[0, :3] = 1.0
    apart[0, :24] = 1 / 8
    wide, narrow = (of_rates((shares, counts), (shares, counts), 0.95) for shares in (together, apart))
    assert wide.effect[0] == narrow.effect[0] == 0
    assert wide.high[0] > 1.5 * narrow.high[0]


def test_limits_of_rates_of_single_turns_are_those_of_clopper_and_pearson() -> None:
    """Also at a level that only an early look has."""
    counts = np.ones((3, 30))
    shares = np.zeros((3, 30))
    shares[1, :7] = shares[2, :] = 1.0
    for level in (0.95, 1 - 1e-7):
        found = _limits(shares, counts, level)
        limits = [stats.binomtest(cases, 30).proportion_ci(level, method="exact") for cases in (0, 7, 30)]
        assert (found.low[0], found.low[2]) == pytest.approx((limits[0].low, limits[2].low))
        assert (found.high[0], found.high[2]) == pytest.approx((limits[0].high, limits[2].high))
        assert (found.low[1], found.high[1]) == pytest.approx((limits[1].low, limits[1].high))


def test_p_values_are_adjusted_as_scipy_adjusts_them() -> None:
    rng = np.random.default_rng(3)
    p = np.round(rng.random(40) ** 3, 2)  # some are equal
    answered = [place for place in range(40) if place % 4]
    found = _adjusted(p, answered)
    assert found[answered] == pytest.approx(stats.false_discovery_control(p[answered], method="bh"))
    assert set(np.delete(found, answered)) == {1.0}
    assert _adjusted(p, []).tolist() == [1.0] * 40


def test_quantiles_of_the_normal_distribution_are_those_of_scipy() -> None:
    for level in (0.05, 1e-3, 1e-12):
        assert _reach(level) == pytest.approx(stats.norm.isf(level / 2) + stats.norm.ppf(POWER), rel=1e-12)
        for share in (0.125, 0.5, 1.0):
            wanted = 2 * stats.norm.sf(stats.norm.isf(level / 2) / share**0.5)
            assert spent(share, level) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("decided", [1, 2, 25, 1000])
def test_bounds_of_pass_rates_are_those_of_scipy(decided: int) -> None:
    for passed in {0, 1, decided // 2, decided - 1, decided}:
        wanted = stats.binomtest(passed, decided).proportion_ci(0.95, method="wilson")
        assert wilson_interval(passed, decided) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
        for confidence in (0.5, 0.95, 0.999):
            one_sided = stats.binomtest(passed, decided, alternative="greater")
            wanted = one_sided.proportion_ci(confidence, method="exact")
            assert lower_bound(passed, decided, confidence) == pytest.approx(wanted.low, abs=1e-10)


@pytest.mark.parametrize(("failed", "others"), [((0, 4), (7, 7)), ((1, 6), (6, 8)), ((3, 3), (7, 6))])
def test_of_rates_the_permutation_test_is_fishers_exact_test(failed: tuple[int, int], others: tuple[int, int]) -> None:
    sides = [np.array([[1.0] * bad + [0.0] * (count - bad)]) for bad, count in zip(failed, others, strict=True)]
    [p] = p_of_independent(*sides, resamples=9_999, seed=1)
    table = [[failed[1], others[1] - failed[1]], [failed[0], others[0] - failed[0]]]
    one_sided = stats.fisher_exact(table, alternative="greater").pvalue
    assert p == pytest.approx(min(1, 2 * one_sided), rel=1e-6)


def test_of_pairs_all_exchanges_are_counted_if_there_are_few() -> None:
    [p] = p_of_pairs(np.array([[3.0, 1.0, 4.0, 1.5, 5.0, 9.0]]), resamples=9_999, seed=1)
    assert p == pytest.approx(2 / 2**6)


def test_a_shift_between_outliers_is_found_and_so_is_a_tail() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(1000, 100, (2, 60))
    values[:, ::20] += 20_000
    shifted = values.copy()
    shifted[0] += 200
    shifted[1, 1::6] += 3_000
    p = p_of_independent(values, shifted, resamples=9_999, seed=1)
    welch = stats.ttest_ind(shifted[0], values[0], equal_var=False).pvalue
    assert welch > 0.5
    assert p[0] < 0.001
    tail = np.where(np.arange(60) % 6 == 1, values[1] + 3_000, values[1])
    usual = np.where(np.abs(values) > 5_000, 1000.0, values)
    usual_tail = np.where(np.abs(tail) > 15_000, 1000.0, tail)
    [p_tail] = p_of_independent(usual[1:], usual_tail[None, :], resamples=9_999, seed=1)
    assert p_tail < 0.005


def test_a_single_difference_can_be_found_among_any_number_of_comparisons() -> None:
    for comparisons in (10, 270, 2_000):
        assert 2 / (resamples_for(comparisons, 0.05) + 1) < 0.05 / comparisons


def test_the_mean_with_values_for_censored_ones_is_that_of_kaplan_and_meier() -> None:
    rng = np.random.default_rng(3)
    values = np.append(rng.lognormal(size=40), [np.nan])
    censored = np.append(rng.random(40) < 0.3, [False])
    values[np.nanargmax(values)] += 10  # the largest is measured
    censored[np.nanargmax(values)] = False
    filled = with_expected(values, censored)
    measured, bounds = values[:40][~censored[:40]], values[:40][censored[:40]]
    assert np.nanmean(filled) == pytest.approx(survival_mean(list(measured), list(bounds)))
    assert np.all(filled[:40] >= values[:40])


def look(planned: Sequence[int], number: int) -> Look:
    return Look(number=number, planned=list(planned))


def test_the_levels_of_all_looks_add_up_to_the_level() -> None:
    planned = planned_looks(160)
    assert planned == (10, 20, 40, 80, 160)
    levels = [level_at(look(planned, number), 0.05) for number in range(1, 6)]
    assert sum(levels) == pytest.approx(0.05)
    assert levels == sorted(levels)
    assert levels[0] < 1e-10
    assert levels[-1] == pytest.approx(0.044, abs=0.001)
    assert planned_looks(10) == (10,)
    for wrong in (((), 1), ((10, 10), 1), ((10, 20), 3), ((0, 5), 1)):
        with pytest.raises(ValueError, match="no planned look"):
            look(*wrong)


def test_looking_several_times_raises_no_false_alarm() -> None:
    rng = np.random.default_rng(9)
    planned = planned_looks(40)
    alarms = 0
    for _ in range(8):
        before, after = draw(rng, 40), draw(rng, 40)
        alarms += any(
            one.verdict == "regression"
            for number, count in enumerate(planned, start=1)
            for one in decide(before[:count], after[:count], look=look(planned, number)).compared
        )
    assert alarms <= 1
    assert len(recorded()) == 109
