"""How large a difference is: its estimate and confidence interval, from one number per call.

Means have Welch's t interval (independent calls) or the t interval of the differences (pairs). It covers better than a
BCa bootstrap of the calls where it matters, with few calls and long tails (`tests/benchmarks/test_compare_bench.py`
holds one against the other). It can also be computed for the very high levels of early looks (`looks.py`).

Rates have intervals that are right for small counts, also for none: of each side Clopper and Pearson's for an
effective number of cases (Korn & Graubard, Survey Methodology 24, 1998), because the turns of one call are not
independent; and of their difference by MOVER (Newcombe, Stat. Med. 17, 1998, method 10; Donner & Zou, Stat. Methods
Med. Res. 21, 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.compare.censored import Floats


@dataclass(frozen=True)
class Estimates:
    """Differences of questions, the run minus the baseline; each field has an element per question.

    Attributes:
        baseline: The baseline's mean, or share of cases.
        run: The run's.
        effect: The difference.
        variance: The variance of the effect of one call a side; that of n calls a side is an nth of it.
        low: The lower end of the interval.
        high: The upper end.
    """

    baseline: Floats
    run: Floats
    effect: Floats
    variance: Floats
    low: Floats
    high: Floats


def of_means(baseline: Floats, run: Floats, level: float) -> Estimates:
    """Differences of means of independent calls; a row per question, a column per call, NaN where there is none.

    Each row has at least two values on each side.
    """
    from scipy.special import stdtrit

    before, after = np.nanmean(baseline, axis=1), np.nanmean(run, axis=1)
    counts = [(~np.isnan(side)).sum(axis=1) for side in (baseline, run)]
    variances = [np.nanvar(side, axis=1, ddof=1) for side in (baseline, run)]
    squares = [variance / count for variance, count in zip(variances, counts, strict=True)]
    error = np.sqrt(squares[0] + squares[1])
    # Welch and Satterthwaite's degrees of freedom.
    parts = squares[0] ** 2 / (counts[0] - 1) + squares[1] ** 2 / (counts[1] - 1)
    freedom = np.divide(error**4, parts, out=np.ones_like(error), where=parts > 0)
    half = stdtrit(freedom, (1 + level) / 2) * error
    effect = after - before
    return Estimates(before, after, effect, variances[0] + variances[1], effect - half, effect + half)


def of_pairs(baseline: Floats, run: Floats, level: float) -> Estimates:
    """Differences of means of paired blocks; a block has a value on both sides or on none."""
    from scipy.special import stdtrit

    differences = run - baseline
    count = (~np.isnan(differences)).sum(axis=1)
    variance = np.nanvar(differences, axis=1, ddof=1)
    half = stdtrit(count - 1, (1 + level) / 2) * np.sqrt(variance / count)
    effect = np.nanmean(differences, axis=1)
    before, after = np.nanmean(baseline, axis=1), np.nanmean(run, axis=1)
    return Estimates(before, after, effect, variance, effect - half, effect + half)


def of_rates(baseline: tuple[Floats, Floats], run: tuple[Floats, Floats], level: float) -> Estimates:
    """Differences of shares of cases.

    Args:
        baseline: The share of cases in each call (NaN where there is none), and the number of possible cases.
        run: The same for the run.
        level: The level of the intervals.
    """
    before, after = _limits(*baseline, level), _limits(*run, level)
    effect = after.share - before.share
    low = effect - np.hypot(after.share - after.low, before.high - before.share)
    high = effect + np.hypot(after.high - after.share, before.share - before.low)
    return Estimates(before.share, after.share, effect, before.variance + after.variance, low, high)


@dataclass(frozen=True)
class _Limits:
    share: Floats
    variance: Floats
    low: Floats
    high: Floats


def _limits(shares: Floats, counts: Floats, level: float) -> _Limits:
    """The share of one side and its limits, by Korn and Graubard."""
    from scipy.special import betaincinv

    calls = (counts > 0).sum(axis=1)
    trials = counts.sum(axis=1)
    share = np.where(counts > 0, shares * counts, 0.0).sum(axis=1) / trials
    # The variance of a ratio of sums over calls (Cochran, Sampling Techniques, 1977, section 6.4).
    residuals = np.where(counts > 0, (shares - share[:, None]) * counts, 0.0)
    clustered = (residuals**2).sum(axis=1) / trials**2 * calls / np.maximum(1, calls - 1)
    # Without any case nothing is known of how the cases of a call go together: a call then counts once.
    effective = np.divide(share * (1 - share), clustered, out=calls.astype(np.float64), where=clustered > 0)
    effective = np.clip(effective, calls, trials)
    tail = (1 - level) / 2
    cases = share * effective
    low = np.where(cases > 0, betaincinv(cases, effective - cases + 1, tail), 0.0)
    high = np.where(cases < effective, betaincinv(cases + 1, effective - cases, 1 - tail), 1.0)
    return _Limits(share, share * (1 - share) * calls / effective, low, high)
