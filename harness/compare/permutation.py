"""Whether two sides differ: a permutation test whose unit is the call.

If both sides called the same agent, each call could as well have been made for the other side. So the statistic is
computed for random exchanges of calls between the sides, and p is the share in which it is at least as large as the
one observed (Fisher 1935; with one added, Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010). This holds for any
distribution and any number of calls; for a rate of calls it is Fisher's exact test. If there are few enough
exchanges, all are computed. `scipy.stats.permutation_test` draws and counts.

The statistic is the larger of two: Welch's t of the calls' values, and Welch's t of their ranks. The first finds
tails (one slow reply in twenty turns, of which ranks know little), the second shifts between outliers (which inflate
the variance of the first). The maximum of the two is nearly as powerful as the better one, and the permutations keep
its error rate (Neuhäuser, Büning & Hothorn, J. Stat. Comput. Simul. 74, 2004). Dividing by the standard error keeps
the test valid if only the means are equal and the variances differ (Janssen, Stat. Probab. Lett. 36, 1997). In pairs,
signs are exchanged, and the ranks are Wilcoxon's signed ones.

Benchmark tools of other fields test ranks alone (Go's benchstat, Kayenta and Pinpoint: Mann-Whitney's U), as their
runs have no tails that matter by themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.compare.censored import Floats

_AT_ONCE = 2_048
_ROWS_AT_ONCE = 128
_NO_VARIANCE = 1e-12  # of values with a variance of 1
_HUGE = 1e9
_DIGITS = 9
LEAST_RESAMPLES, MOST_RESAMPLES = 9_999, 199_999


def resamples_for(comparisons: int, level: float) -> int:
    """The number of permutations with which a single difference among so many comparisons can be found.

    The smallest two-sided p is 2 / (resamples + 1). The false discovery rate asks for level / comparisons, if nothing
    else differs; this gives half of that.
    """
    return int(min(max(LEAST_RESAMPLES, 4 * comparisons / level), MOST_RESAMPLES))


class _OfCalls:
    """The statistic of independent calls, of all rows, for many permutations at once."""

    def __init__(self, values: Floats, ranks: Floats) -> None:
        self._there = (~np.isnan(values)).astype(np.float64)
        self._columns = [_standard(values), _standard(ranks)]
        self._all = self._there.sum(axis=1)

    def __call__(self, first: NDArray[np.int64], second: NDArray[np.int64], axis: int = -1) -> Floats:
        """Returns a row per permutation and a column per question; `first` has the numbers of the baseline's calls."""
        del second, axis  # all others
        in_first = np.zeros((*first.shape[:-1], self._there.shape[1]))
        np.put_along_axis(in_first, first, 1.0, axis=-1)
        before = in_first @ self._there.T
        after = self._all - before
        statistics = []
        for column in self._columns:
            sums, squares = in_first @ column.T, in_first @ (column**2).T
            others, other_squares = column.sum(axis=1) - sums, (column**2).sum(axis=1) - squares
            with np.errstate(divide="ignore", invalid="ignore"):
                mean, other_mean = sums / before, others / after
                error = (squares / before - mean**2) / (before - 1) + (other_squares / after - other_mean**2) / (
                    after - 1
                )
                statistics.append(_studentised(other_mean - mean, error))
        return _rounded(np.maximum(*statistics))


class _OfPairs:
    """The statistic of paired blocks; see `_OfCalls`."""

    def __init__(self, values: Floats, ranks: Floats) -> None:
        self._counts = (~np.isnan(values)).sum(axis=1)
        self._columns = [_scaled(values), _scaled(ranks)]

    def __call__(self, blocks: NDArray[np.int64], axis: int = -1) -> Floats:
        """Returns a row per permutation and a column per question; a negative number is an exchanged block."""
        del axis
        order = np.argsort(np.abs(blocks), axis=-1)
        signs = np.take_along_axis(np.sign(blocks), order, axis=-1).astype(np.float64)
        statistics = []
        for column in self._columns:
            mean = signs @ column.T / self._counts
            error = ((column**2).sum(axis=1) / self._counts - mean**2) / (self._counts - 1)
            statistics.append(_studentised(mean, error))
        return _rounded(np.maximum(*statistics))


_Statistic = _OfCalls | _OfPairs
_POf = Callable[[slice], Floats]


def _standard(values: Floats) -> Floats:
    """The values with mean 0 and variance 1 in each row, and 0 where there is none."""
    return _scaled(values - np.nanmean(values, axis=1, keepdims=True))


def _scaled(values: Floats) -> Floats:
    """The values with a mean square of 1 in each row, and 0 where there is none; zeros if they are all 0."""
    size = np.sqrt(np.nanmean(values**2, axis=1, keepdims=True))
    scaled = values / np.where(size > 0, size, 1.0)
    return np.nan_to_num(scaled)


def _rounded(statistic: Floats) -> Floats:
    """The statistic without rounding errors, so that equal ones count as equal."""
    rounded: Floats = np.asarray(np.round(statistic, _DIGITS), np.float64)
    return rounded


def _studentised(difference: Floats, error: Floats) -> Floats:
    """The difference over its standard error; without any variance 0 or huge, and 0 where a side has too few values."""
    large = np.abs(error) > _NO_VARIANCE
    found = difference / np.sqrt(np.where(large, error, 1.0))
    constant = np.where(np.abs(difference) > _NO_VARIANCE, np.sign(difference) * _HUGE, 0.0)
    return np.nan_to_num(np.where(large, found, constant), nan=0.0, posinf=0.0, neginf=0.0)


def p_of_independent(baseline: Floats, run: Floats, *, resamples: int, seed: int) -> Floats:
    """Two-sided p-values of independent calls.

    Args:
        baseline: The baseline's answers: a row per question, a column per call, NaN where there is none.
        run: The run's answers to the same questions.
        resamples: The number of permutations.
        seed: Their seed.
    """
    from scipy import stats

    values = np.concatenate([baseline, run], axis=1)
    split = baseline.shape[1]
    raised = np.nanmean(run, axis=1) >= np.nanmean(baseline, axis=1)
    values = np.where(raised[:, None], values, -values)
    ranks = stats.rankdata(values, axis=1, nan_policy="omit")
    return _in_groups(
        len(values),
        lambda rows: _p(
            _OfCalls(values[rows], ranks[rows]),
            (np.arange(split), np.arange(split, values.shape[1])),
            "independent",
            resamples,
            seed,
        ),
    )


def p_of_pairs(differences: Floats, *, resamples: int, seed: int) -> Floats:
    """Two-sided p-values of paired blocks; see `p_of_independent`.

    Args:
        differences: The run's answers minus the baseline's: a row per question, a column per block.
        resamples: The number of permutations.
        seed: Their seed.
    """
    from scipy import stats

    raised = np.nanmean(differences, axis=1) >= 0
    values = np.where(raised[:, None], differences, -differences)
    ranks = np.sign(values) * stats.rankdata(np.abs(values), axis=1, nan_policy="omit")
    # Blocks are numbered from 1, so that an exchange within a block is a change of the number's sign.
    return _in_groups(
        len(values),
        lambda rows: _p(
            _OfPairs(values[rows], ranks[rows]), (np.arange(1, values.shape[1] + 1),), "samples", resamples, seed
        ),
    )


def _in_groups(rows: int, p_of: _POf) -> Floats:
    """Computes the rows in groups, because the statistic of every row and permutation is held in memory."""
    groups = [slice(first, first + _ROWS_AT_ONCE) for first in range(0, rows, _ROWS_AT_ONCE)]
    return np.concatenate([p_of(group) for group in groups]) if groups else np.zeros(0)


def _p(statistic: _Statistic, data: tuple[NDArray[np.int64], ...], kind: str, resamples: int, seed: int) -> Floats:
    """Permutes the numbers of calls or blocks; the statistic computes all rows from them at once."""
    from scipy import stats

    found = stats.permutation_test(
        data,
        statistic,
        permutation_type=kind,
        vectorized=True,
        n_resamples=resamples,
        batch=_AT_ONCE,
        alternative="greater",
        rng=np.random.default_rng(seed),
    )
    # The direction was chosen by the data, so the one-sided p counts twice.
    p: Floats = np.minimum(1.0, 2 * found.pvalue)
    return p
