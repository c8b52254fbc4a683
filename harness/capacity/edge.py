"""Where the edge lies: how sure the holds so far make us of the most calls at once for which the objectives are met.

The chance that a hold of n calls meets them is taken to fall along a logistic curve in log n, as the chance to see a
faint light does in psychophysics; the posterior over the curve's middle and its width is worked out on a grid
(Kontsevich and Tyler, Vision Research 39, 1999). A hard limit is a narrow curve, a service that slows down a wide one:
neither is presumed. No single hold decides, for each may be an accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Of the curve, in log n: at 0.1 nine of ten holds are met and one of ten is met within a factor of 1.55.
WIDTHS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
WIDTH_ODDS = (4, 4, 4, 4, 4, 4, 1)  # beforehand: the widest are hardly an edge
ACCIDENT = 0.02  # how often a hold comes out as it should not, whatever n is
THIN_ACCIDENT = 0.15  # the same of a hold that was too short for its percentile
BEYOND = 4  # the edge is searched up to this multiple of the most calls tried
CONFIDENCE = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a hold of `calls` calls met all objectives; `thin` if it was short."""

    calls: int
    met: bool
    thin: bool = False


class Edge:
    """The posterior over the edge, after these outcomes (in any order).

    An edge of k says: with up to k calls the objectives are met more often than not, with k + 1 they are not.
    """

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        top = BEYOND * max((outcome.calls for outcome in outcomes), default=1)
        self._edges = np.arange(top + 1, dtype=np.float64)
        # All magnitudes are alike before anything was seen: as much between 1 and 10 as between 10 and 100.
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
        """The probability that `calls` calls are held, for each edge and width: (edges, widths)."""
        middles = np.log(self._edges + 0.5)[:, None]
        steepness = (np.log(calls) - middles) / np.asarray(WIDTHS)[None, :]
        chances: Floats = 1 / (1 + np.exp(np.clip(steepness, -50, 50)))
        return chances

    def chance(self, calls: int) -> float:
        """The probability that a hold of `calls` calls meets the objectives, accidents aside."""
        return float((self._joint * self._curves(calls)).sum())

    @property
    def likely(self) -> int:
        """The median of the edge."""
        return self._quantile(0.5)

    def interval(self, confidence: float = CONFIDENCE) -> tuple[int, int]:
        """The central interval that holds the edge with that probability."""
        rest = (1 - confidence) / 2
        return self._quantile(rest), self._quantile(1 - rest)

    def _quantile(self, share: float) -> int:
        return int(np.searchsorted(self._sure, share - 1e-12))
