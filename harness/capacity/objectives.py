"""What must hold, and how many turns it takes before that means something."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import bdtrc

from harness.errors import UsageError
from harness.judge.thresholds import Threshold
from harness.metrics.percentiles import LEAST_SAMPLES
from harness.metrics.registry import METRICS
from harness.metrics.samples import Sample
from harness.metrics.threshold import check_threshold, parse_threshold_option
from harness.scenario.model import Scenario

OPTION = "--slo"
CONFIDENCE = 0.95
LEAST_TURNS = 20
MOST_TURNS = 300


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


def turns_wanted(objectives: Sequence[Threshold], scenarios: Sequence[Scenario], *, full: bool) -> int:
    """How many turns a hold is to have; objectives on calls take as many calls as are held.

    A full hold has so many that the largest of them lies beyond the true percentile with 95 %: log 0.05 / log p, 59 for
    a p95 (Wilks, Ann. Math. Stat. 12, 1941). One to step on by has as many as a percentile is shown from (20 for a
    p95). Of a share, so many that a single case is not over the limit. An objective on turns of one kind takes as many
    more as there are others in the scenarios.
    """
    wanted = [
        math.ceil(min(MOST_TURNS, _wanted(objective, full=full)) / _share_seen(objective, scenarios))
        for objective in objectives
    ]
    return max([LEAST_TURNS, *wanted])


def _share_seen(objective: Threshold, scenarios: Sequence[Scenario]) -> float:
    """Which share of all turns an objective looks at, by the scripts."""
    tags = dict(objective.ref.tags)
    turns = [(scenario.name, step.kind) for scenario in scenarios for step in scenario.turns if step.kind != "wait"]
    seen = [kind for name, kind in turns if tags.get("scenario", name) == name and tags.get("kind", kind) == kind]
    return len(seen) / len(turns) if seen and turns else 1.0


def surely_missed(objective: Threshold, samples: Sequence[Sample]) -> bool:
    """Whether these samples are too many beyond the limit to be an accident of an agent that just meets it (5 %).

    Of a percentile and of a share; by the binomial distribution.
    """
    limit = objective.limit
    matching = [sample for sample in samples if sample.fit and sample.matches(objective.ref)]
    # One that was cut while it was awaited counts once it has been too long.
    values = [sample.value for sample in matching if not sample.censored or not limit.holds(sample.value)]
    if limit.percentile is not None:
        share, beyond = 1 - limit.percentile / 100, sum(not limit.holds(value) for value in values)
    elif limit.aggregate == "rate" and limit.op.startswith("<"):
        share, beyond = limit.value, round(sum(values))
    else:
        return False
    count = len(values)
    return beyond > 0 and float(bdtrc(beyond - 1, count, share)) < 1 - CONFIDENCE


def seen_enough(objectives: Sequence[Threshold], samples: Sequence[Sample]) -> bool:
    """Whether each objective on turns had the samples that a full hold is to have, of those that it looks at."""
    for objective in objectives:
        seen = sum(sample.matches(objective.ref) and sample.fit for sample in samples)
        if METRICS[objective.ref.metric].is_of_turns and seen < min(MOST_TURNS, _wanted(objective, full=True)):
            return False
    return sum(sample.metric == "turns.unfit" for sample in samples) >= LEAST_TURNS


def _wanted(objective: Threshold, *, full: bool) -> int:
    limit = objective.limit
    metric = METRICS[objective.ref.metric]
    if not metric.is_of_turns:
        return 0
    if metric.is_rate:
        return math.ceil(1 / limit.value) + 1 if limit.aggregate == "rate" and 0 < limit.value < 1 else 0
    share = (50.0 if limit.aggregate == "med" else limit.percentile or 0.0) / 100
    if not 0 < share < 1:
        return 0
    if full:
        return math.ceil(math.log(1 - CONFIDENCE) / math.log(max(share, 1 - share)))
    return LEAST_SAMPLES.get(round(share * 100), math.ceil(1 / (1 - share)))
