"""Estimates the edge: the most concurrent calls for which the objectives are met, with its uncertainty.

The model is a psychometric function: the probability that a hold of n calls meets the objectives falls along a logistic
curve in log n. The posterior over the curve's middle and its width is computed on a grid (Kontsevich and Tyler, Vision
Research 39, 1999). A hard limit is a narrow curve, a service that slows down gradually a wide one; neither is assumed.
No single hold decides, because each may be an accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Widths of the curve in log n. At 0.1 the probability falls from 0.9 to 0.1 within a factor of 1.55.
WIDTHS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
WIDTH_ODDS = (4, 4, 4, 4, 4, 4, 1)  # prior odds: the widest is hardly an edge
ACCIDENT = 0.02  # how often the outcome of a hold is random, whatever n is
THIN_ACCIDENT = 0.15  # the same for a hold that was too short for its percentile
BEYOND = 4  # the grid extends to this multiple of the most calls tried
CONFIDENCE = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a hold of `calls` calls met all objectives; `thin`: it was too short for its percentiles."""

    calls: int
    met: bool
    thin: bool = False


class Edge:
    """The posterior over the edge, after these outcomes (in any order).

    An edge of k means: with up to k calls the objectives are met more often than not, with k + 1 they are not.
    """

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        top = BEYOND * max((outcome.calls for outcome in outcomes), default=1)
        self._edges = np.arange(top + 1, dtype=np.float64)
        # The prior is log-uniform: as much between 1 and 10 as between 10 and 100.
        magnitudes = np.log((self._edges + 2) / (self._edges + 1))
        likelihood = np.log(magnitudes)[:, None] + np.log(WIDTH_ODDS)[None, :]
        for outcome in outcomes:
            accident = THIN_ACCIDENT if outcome.thin else ACCIDENT
            met = accident / 2 + (1 - accident) * self._curves(outcome.calls)
            likelihood += np.log(met if outcome.met else 1 - met)
        joint = np.exp(likelihood - likelihood.max())
        self._joint: Floats = joint / joint.sum()
        self._sure: Floats = np.cumsum(self._joint.sum(axis=1))

    def _curves(self, calls: int) -> Floats:
        """Returns the probability that `calls` calls meet the objectives, as an array of shape (edges, widths)."""
        middles = np.log(self._edges + 0.5)[:, None]
        steepness = (np.log(calls) - middles) / np.asarray(WIDTHS)[None, :]
        chances: Floats = 1 / (1 + np.exp(np.clip(steepness, -50, 50)))
        return chances

    def chance(self, calls: int) -> float:
        """Returns the probability that a hold of `calls` calls meets the objectives, apart from accidents."""
        return float((self._joint * self._curves(calls)).sum())

    @property
    def likely(self) -> int:
        """The median of the edge."""
        return self._quantile(0.5)

    def interval(self, confidence: float = CONFIDENCE) -> tuple[int, int]:
        """Returns the central credible interval of the edge."""
        rest = (1 - confidence) / 2
        return self._quantile(rest), self._quantile(1 - rest)

    def _quantile(self, share: float) -> int:
        return int(np.searchsorted(self._sure, share - 1e-12))
