"""The objectives, and how many turns a hold needs to judge them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import bdtrc

from harness.errors import UsageError
from harness.judge.thresholds import Threshold
from harness.metrics.percentiles import least_samples
from harness.metrics.registry import METRICS
from harness.metrics.samples import Sample
from harness.metrics.threshold import check_threshold, parse_threshold_option
from harness.scenario.model import Scenario

OPTION = "--slo"
CONFIDENCE = 0.95
LEAST_TURNS = 20
MOST_TURNS = 300


def read_objectives(options: Sequence[str]) -> list[Threshold]:
    """Parses the objectives of --slo.

    Raises:
        UsageError: One cannot be parsed.
    """
    found = []
    for text in options:
        try:
            found.append(Threshold(*check_threshold(*parse_threshold_option(text)), OPTION))
        except ValueError as problem:
            raise UsageError(str(problem), where=OPTION) from None
    return found


def turns_wanted(objectives: Sequence[Threshold], scenarios: Sequence[Scenario], *, full: bool) -> int:
    """Returns how many turns a hold needs. Objectives on calls need none: they are judged by the calls that are held.

    For a percentile, a full hold needs so many turns that the largest value exceeds the true percentile with 95 %
    probability: log 0.05 / log p, 59 for a p95 (Wilks, Ann. Math. Stat. 12, 1941). Other holds need as many as a
    percentile is shown from (20 for a p95). For a share, a single case must not exceed the limit. If an objective is
    only on some of the turns, such as those of one kind, the number is divided by their share in the scenarios.

    Args:
        objectives: The objectives.
        scenarios: The scenarios of the calls.
        full: Whether it is a full hold, or only long enough to go to the next step.
    """
    wanted = [
        math.ceil(min(MOST_TURNS, _wanted(objective, full=full)) / _share_seen(objective, scenarios))
        for objective in objectives
    ]
    return max([LEAST_TURNS, *wanted])


def _share_seen(objective: Threshold, scenarios: Sequence[Scenario]) -> float:
    """Returns the share of all turns that an objective applies to, by the scripts."""
    tags = dict(objective.ref.tags)
    turns = [(scenario.name, step.kind) for scenario in scenarios for step in scenario.turns if step.kind != "wait"]
    seen = [kind for name, kind in turns if tags.get("scenario", name) == name and tags.get("kind", kind) == kind]
    return len(seen) / len(turns) if seen and turns else 1.0


def surely_missed(objective: Threshold, samples: Sequence[Sample]) -> bool:
    """Returns whether so many samples exceed the limit that an agent at the limit would do so with under 5 % chance.

    It applies to limits on a percentile or a share, and uses the binomial distribution.
    """
    limit = objective.limit
    matching = [sample for sample in samples if sample.fit and sample.matches(objective.ref)]
    # A censored sample, cut while waiting for the reply, counts only if it already exceeds the limit.
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
    """Returns whether each objective on turns has as many matching samples as a full hold needs."""
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
    return least_samples(share * 100)
