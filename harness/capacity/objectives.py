"""What must hold, and how many turns it takes before that means something."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.errors import UsageError
from harness.judge.thresholds import Threshold
from harness.measure.percentiles import LEAST_SAMPLES
from harness.measure.samples import Sample
from harness.scenario.metric_names import RATES, check_threshold, parse_threshold_option

OPTION = "--slo"
CONFIDENCE = 0.95
LEAST_TURNS = 20
MOST_TURNS = 300
TURN_METRICS = ("turn.", "turns.", "bargein.", "expectations.")


def read_objectives(options: Sequence[str]) -> list[Threshold]:
    """The objectives of --slo.

    Raises:
        UsageError: One cannot be read.
    """
    found = []
    for text in options:
        try:
            found.append(Threshold(*check_threshold(*parse_threshold_option(text)), OPTION))
        except ValueError as problem:
            raise UsageError(str(problem), where=OPTION) from None
    return found


def turns_wanted(objectives: Sequence[Threshold], *, full: bool) -> int:
    """How many turns a hold is to have; objectives on calls take as many calls as are held.

    A full hold has so many that the largest of them lies beyond the true percentile with 95 %: log 0.05 / log p, 59 for
    a p95 (Wilks, Ann. Math. Stat. 12, 1941). One to step on by has as many as a percentile is shown from (20 for a
    p95). Of a share, so many that a single case is not over the limit.
    """
    wanted = [_wanted(objective, full=full) for objective in objectives]
    return min(MOST_TURNS, max([LEAST_TURNS, *wanted]))


def surely_missed(objective: Threshold, samples: Sequence[Sample]) -> bool:
    """Whether these samples are too many beyond the limit to be an accident of an agent that just meets it (5 %).

    Of a percentile and of a share; by the binomial distribution.
    """
    limit = objective.limit
    values = [sample.value for sample in samples if sample.fit and sample.matches(objective.ref)]
    if limit.percentile is not None:
        share, beyond = 1 - limit.percentile / 100, sum(not limit.holds(value) for value in values)
    elif limit.aggregate == "rate" and limit.op.startswith("<"):
        share, beyond = limit.value, round(sum(values))
    else:
        return False
    count = len(values)
    fewer = sum(math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(beyond))
    return 1 - fewer < 1 - CONFIDENCE


def _wanted(objective: Threshold, *, full: bool) -> int:
    limit = objective.limit
    if not objective.ref.metric.startswith(TURN_METRICS):
        return 0
    if objective.ref.metric in RATES:
        return math.ceil(1 / limit.value) + 1 if limit.aggregate == "rate" and 0 < limit.value < 1 else 0
    share = (50.0 if limit.aggregate == "med" else limit.percentile or 0.0) / 100
    if not 0 < share < 1:
        return 0
    if full:
        return math.ceil(math.log(1 - CONFIDENCE) / math.log(max(share, 1 - share)))
    return LEAST_SAMPLES.get(round(share * 100), math.ceil(1 / (1 - share)))
