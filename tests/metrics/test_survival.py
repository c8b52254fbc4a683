"""Percentiles and means where some values are only known to be larger, against scipy's estimate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import CensoredData, ecdf

from harness.metrics.percentiles import percentile
from harness.metrics.survival import survival_mean, survival_percentile


def some(rng: np.random.Generator, most: int) -> list[float]:
    """Waits in ms, of which some are equal."""
    return [float(value) for value in np.round(rng.exponential(1000, rng.integers(1, most)), -2)]


@pytest.mark.parametrize("seed", range(50))
def test_the_estimate_is_that_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, cut = some(rng, 40), some(rng, 20)
    estimate = ecdf(CensoredData(uncensored=values, right=cut))
    times = estimate.cdf.quantiles
    for share in (50, 90, 95, 99, 100):
        reached = np.flatnonzero(estimate.cdf.probabilities >= share / 100 - 1e-9)
        assert survival_percentile(values, cut, share) == (times[reached[0]] if reached.size else None)
    lasted = np.diff([0.0, *times, max([*values, *cut])])
    assert survival_mean(values, cut) == pytest.approx(np.sum([1.0, *estimate.sf.probabilities] * lasted))


@pytest.mark.parametrize("count", [1, 2, 19, 20, 100])
def test_without_cut_ones_it_is_the_nearest_rank(count: int) -> None:
    values = [float(number) for number in range(1, count + 1)]
    assert survival_percentile(values, [], 95) == -(-95 * count // 100)
    assert survival_percentile([], [], 95) is None


@pytest.mark.parametrize(("count", "share", "rank"), [(100, 7, 7), (1000, 99.9, 999), (2000, 99.9, 1998), (20, 95, 19)])
def test_a_rank_that_is_whole_is_not_exceeded(count: int, share: float, rank: int) -> None:
    assert percentile([float(number) for number in range(1, count + 1)], share) == rank
