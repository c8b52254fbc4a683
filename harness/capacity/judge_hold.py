"""Judges a hold with the functions that judge a run, and decides what limited it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.capacity.objectives import seen_enough, surely_missed
from harness.capacity.window import Timed, Window, in_window, talk_share
from harness.clock import NS_PER_S
from harness.errors import EXIT_UNFIT
from harness.judge.thresholds import Threshold
from harness.judge.verdict import judge_run
from harness.metrics.samples import Sample, samples_of
from harness.record.capacity import Blamed, Hold, HoldVerdict, OwnState, Ttfa
from harness.record.summary import Ending, MetricSummary, RateSummary, Summary, ThresholdResult
from harness.text.counted import counted

LEAST_TALK = 0.75  # share of a window: with less conversation, a hold is mostly set-up
BUSY = 0.9  # share of the CPU: from it on, an agent on this machine lacks the CPU that we use
LAG_MS = 100.0  # of a process's event loop: packets this late make turns unfit
FULL_CORE = 0.95  # share of a core: from it on, a process's Python thread has no time left
TOLERATED = 0.05  # share of failed calls or expectations that is accepted if no objective limits it
BEFORE_CONVERSATION = ("session.", "room.")


@dataclass
class Fitness:
    """Values of the machine and of each shard, read once a second during a hold's window.

    Attributes:
        is_open: Whether the window is open now; values are taken only then.
        busy: The shares of the machine's CPU in use.
        lag_ms: The longest event loop delays of the shards.
        process_cpu: The shares of a core that the shards used.
    """

    is_open: bool = False
    busy: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    process_cpu: list[float] = field(default_factory=list)

    def take(self, second: Mapping[str, Any]) -> None:
        """Takes a `second` message of a shard; see `shards/protocol.py`."""
        if self.is_open:
            self.lag_ms.append(second["lag_ms"])
            self.process_cpu.append(second["cpu"])

    def state(self, *, unfit_turns: int, on_this_machine: bool) -> OwnState:
        """Returns a summary of the values."""
        return OwnState(
            unfit_turns=unfit_turns,
            busy=round(float(np.mean(self.busy)), 3) if self.busy else None,
            lag_ms=round(float(np.percentile(self.lag_ms, 95)), 1) if self.lag_ms else None,
            process_cpu=round(float(np.percentile(self.process_cpu, 95)), 3) if self.process_cpu else None,
            on_this_machine=on_this_machine,
        )


@dataclass(frozen=True)
class Made:
    """The data of a hold of `slots` concurrent calls: its calls, and the window in which all of them talked."""

    slots: int
    full: bool
    started: str
    begun_ns: int
    window: Window
    calls: Sequence[Timed]
    fitness: Fitness


def ttfa_ms(made: Made) -> list[float]:
    """Returns `turn.ttfa` of the fit turns in the window, in ms."""
    samples = samples_of(in_window(made.calls, made.window))
    return [sample.value for sample in samples if sample.metric == "turn.ttfa" and sample.fit and not sample.censored]


def judge_hold(step: int, made: Made, objectives: Sequence[Threshold]) -> Hold:
    """Judges a hold and returns it as it is recorded; `step` is its number, from 1."""
    calls = in_window(made.calls, made.window)
    summary = judge_run(calls, objectives, target="", ending=Ending())
    share = talk_share(made.calls, made.window, made.slots)
    unfit_turns = sum(not turn.sure for call in calls for turn in call.turns if not turn.cut)
    local = any(call.on_this_machine for call in made.calls)
    own = made.fitness.state(unfit_turns=unfit_turns, on_this_machine=local)
    verdict, why, blamed = _verdict(summary, own, share, _unasked(summary, objectives))
    ttfa = summary.metrics.get("turn.ttfa")
    samples = list(samples_of(calls))
    turns = sum(len(call.turns) for call in calls)
    return Hold(
        step=step,
        calls=made.slots,
        full=made.full,
        sure=seen_enough(objectives, samples) or (verdict == "missed" and _surely(objectives, samples)),
        started=made.started,
        set_up_s=round((made.window.from_ns - made.begun_ns) / NS_PER_S, 1),
        window_s=round((made.window.until_ns - made.window.from_ns) / NS_PER_S, 1),
        talk_share=round(share, 3),
        turns=turns,
        verdict=verdict,
        limited_by=blamed,
        why=why,
        ttfa=Ttfa(count=ttfa.count, p50=ttfa.p50, p95=ttfa.p95) if isinstance(ttfa, MetricSummary) else Ttfa(),
        failed=_rate(summary, "calls.failed"),
        wrong=_rate(summary, "expectations.failed"),
        objectives=summary.thresholds,
        failures=summary.failures,
        own=own,
        call_ids=sorted(call.result.call for call in made.calls),
    )


def _surely(objectives: Sequence[Threshold], samples: Sequence[Sample]) -> bool:
    return any(surely_missed(objective, samples) for objective in objectives)


def _rate(summary: Summary, metric: str) -> float | None:
    found = summary.metrics.get(metric)
    return found.rate if isinstance(found, RateSummary) else None


def _unasked(summary: Summary, objectives: Sequence[Threshold]) -> list[str]:
    """Returns the failures above `TOLERATED` that no objective limits: an agent that stops replying is not fast."""
    judged = {objective.ref.metric for objective in objectives}
    found = []
    failed, total = sum(summary.failures.values()), summary.calls.total
    if "calls.failed" not in judged and failed > TOLERATED * total:
        found.append(f"{failed} of {counted(total, 'call')} failed: {_kinds(summary)}")
    wrong = _rate(summary, "expectations.failed")
    if not judged & {"calls.failed", "expectations.failed"} and wrong is not None and wrong > TOLERATED:
        found.append(f"{100 * wrong:.0f} % of the expectations failed")
    return found


def _kinds(summary: Summary) -> str:
    return ", ".join(f"{kind} ({count})" for kind, count in sorted(summary.failures.items()))


def _verdict(
    summary: Summary, own: OwnState, share: float, unasked: Sequence[str]
) -> tuple[HoldVerdict, str, Blamed | None]:
    missed = [result for result in summary.thresholds if result.ok is False]
    without = [result for result in summary.thresholds if result.ok is None]
    unfit = [str(reason.what) for reason in summary.reasons if reason.code == EXIT_UNFIT]
    if unfit:
        return "unfit", "; ".join(unfit), None
    too_few = share < LEAST_TALK
    if not missed and not without and not too_few and not unasked:
        return "met", "all objectives were met", None
    strained = _strained(own)
    if strained is not None:
        return "unfit", strained, None
    if missed:
        return "missed", "; ".join(map(_told, missed)), _blamed(missed, summary.failures)
    if (too_few or without) and summary.calls.failed:
        what = f"only {100 * share:.0f} % of the calls talked" if too_few else f"no sample of {without[0].metric}"
        return "missed", f"{what}: {_kinds(summary) or 'expectations failed'}", _blamed([], summary.failures)
    if unasked:
        return "missed", "; ".join(unasked), _blamed([], summary.failures)
    if too_few:
        return "set_up", f"only {100 * share:.0f} % of the step was conversation", None
    return "set_up", f"the step gave no sample of {without[0].metric}", None


def _strained(own: OwnState) -> str | None:
    """Returns why a missed objective says nothing about the agent: this machine or our processes were overloaded."""
    if own.on_this_machine and own.busy is not None and own.busy >= BUSY:
        return f"this machine was {100 * own.busy:.0f} % busy, and the service runs on it"
    if own.lag_ms is not None and own.lag_ms > LAG_MS:
        return f"our own event loop lagged by {own.lag_ms:.0f} ms"
    if own.process_cpu is not None and own.process_cpu >= FULL_CORE:
        return f"a process of calls used {100 * own.process_cpu:.0f} % of a core"
    return None


def _told(result: ThresholdResult) -> str:
    value = "no value" if result.value is None else f"{result.value:g}"
    return f"{result.metric} {result.limit} was {value} ({counted(result.samples, 'sample')})"


def _blamed(missed: Sequence[ThresholdResult], failures: dict[str, int]) -> Blamed:
    """Blames the session service if a missed metric or most failures precede the conversation, else the agent."""
    if any(result.metric.metric.startswith(BEFORE_CONVERSATION) for result in missed):
        return "session service"
    on_calls = not missed or any(result.metric.metric.startswith("calls.") for result in missed)
    if on_calls and failures:
        before: Counter[bool] = Counter()
        for kind, count in failures.items():
            before[kind.startswith(BEFORE_CONVERSATION)] += count
        return "session service" if before[True] > before[False] else "agent"
    return "agent"
