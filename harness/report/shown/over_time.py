"""A run over time: TTFA, calls alive and failures.

Time starts with the first call, by the clocks of the machines that made the calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from harness.formats import Recorded
from harness.metrics.percentiles import percentile
from harness.record.result import CallResult, counted_calls
from harness.record.settings import RunSettings
from harness.record.times import utc
from harness.report.numbers import seconds, with_ms
from harness.text.counted import counted

MORE_CALLS_THAN = 10
MOST_DOTS = 10_000
MOST_SLICES = 40
MOST_STEPS = 2000
_SLICES_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


class Slice(Recorded):
    """What happened in one interval, in seconds from the first call's start.

    Attributes:
        alive: The most calls alive at once.
        turns: The number of turns whose reply started in it, with the percentiles of their TTFA.
        failures: The calls that ended in it and failed, by kind.
    """

    from_s: float
    until_s: float
    alive: int = 0
    turns: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    failures: dict[str, int] = Field(default_factory=dict)


class Dots(Recorded):
    """TTFA turn by turn, sorted by time. The four lists are columns; `call` holds ids.

    Only turns that enter the percentiles are here. Empty if there are more than `MOST_DOTS`.
    """

    at_s: list[float] = Field(default_factory=list)
    ttfa_ms: list[float] = Field(default_factory=list)
    call: list[str] = Field(default_factory=list)
    turn: list[int] = Field(default_factory=list)


class OverTime(Recorded):
    """A run over time.

    Attributes:
        words: The essence in one sentence.
        end_s: When the last call ended.
        warm_up_s: How long the warm-up lasted, whose calls are in no number.
        slices: The run in intervals of equal length.
        dots: Its turns.
        alive_at_s: When the number of calls alive changed, and
        alive: to how many. With many changes, the highest number in each of `MOST_STEPS` parts of the time.
    """

    words: str
    end_s: float
    warm_up_s: float = 0.0
    slices: list[Slice]
    dots: Dots
    alive_at_s: list[float]
    alive: list[int]


@dataclass(frozen=True)
class _Lived:
    """A call with its start and end, in seconds from the first call's start."""

    call: CallResult
    start_s: float
    end_s: float


@dataclass
class _Part:
    """A slice that is being filled."""

    alive: int = 0
    ttfa_ms: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Reply:
    at_s: float
    ttfa_ms: float
    call: str
    turn: int


def over_time(settings: RunSettings, calls: Sequence[CallResult]) -> OverTime | None:
    """A load, or a run of more than `MORE_CALLS_THAN` calls; None for other runs, or without times."""
    load = settings.load
    if load is None and len(calls) <= MORE_CALLS_THAN:
        return None
    lived = _lived(calls)
    end_s = max((each.end_s for each in lived), default=0.0)
    if end_s <= 0:
        return None
    counted = {call.call for call in counted_calls(calls)}
    replies = sorted(_replies(lived, counted), key=lambda reply: (reply.at_s, reply.ttfa_ms))
    steps = _alive_steps(lived)
    failed = [each for each in lived if each.call.ok is False and each.call.call in counted]
    slices = _slices(end_s, replies, steps, failed)
    changes = _fewer(steps, end_s)
    return OverTime(
        words=_words(len(calls), end_s, slices, replies, len(failed)),
        end_s=round(end_s, 3),
        warm_up_s=min(float(load.get("warm_up_s") or 0.0), end_s) if load is not None else 0.0,
        slices=slices,
        dots=_dots(replies),
        alive_at_s=[round(at, 3) for at, _ in changes],
        alive=[alive for _, alive in changes],
    )


def _lived(calls: Sequence[CallResult]) -> list[_Lived]:
    known = [(call, at) for call in calls if (at := utc(call.started)) is not None]
    first = min((at for _, at in known), default=None)
    if first is None:
        return []
    starts = [(call, (at - first).total_seconds()) for call, at in known]
    return [_Lived(call, start, start + call.duration_ms / 1000) for call, start in starts]


def _replies(lived: Sequence[_Lived], counted: set[str]) -> Iterator[_Reply]:
    """Yields the turns that enter the percentiles of TTFA, at the onset of their reply."""
    for each in lived:
        call = each.call
        if call.call not in counted:
            continue
        set_up_ms = call.held_back_ms + (call.session_create_ms or 0.0) + (call.room_connect_ms or 0.0)
        for turn in call.turns:
            at_ms = turn.agent_onset_ms if turn.agent_onset_ms is not None else turn.ended_ms
            if turn.ttfa_ms is not None and turn.sure and at_ms is not None:
                at_s = min(each.end_s, each.start_s + (set_up_ms + at_ms) / 1000)
                yield _Reply(at_s, turn.ttfa_ms, call.call, turn.turn)


def _alive_steps(lived: Sequence[_Lived]) -> list[tuple[float, int]]:
    """The number of calls alive as a step function: (second, calls alive from then on)."""
    changes = Counter[float]()
    for each in lived:
        changes[each.start_s] += 1
        changes[each.end_s] -= 1
    alive, steps = 0, []
    for at in sorted(changes):
        alive += changes[at]
        steps.append((at, alive))
    return steps


def _fewer(steps: Sequence[tuple[float, int]], end_s: float) -> list[tuple[float, int]]:
    """At most about `MOST_STEPS` steps: of each part of the time the highest and the last number."""
    if len(steps) <= MOST_STEPS:
        return list(steps)
    highest: dict[int, tuple[float, int]] = {}
    last: dict[int, tuple[float, int]] = {}
    for step in steps:
        part = int(step[0] / end_s * MOST_STEPS / 2)
        highest[part] = max(highest.get(part, step), step, key=lambda found: found[1])
        last[part] = step
    return sorted({*highest.values(), *last.values()})


def _slices(
    end_s: float, replies: Sequence[_Reply], steps: Sequence[tuple[float, int]], failed: Sequence[_Lived]
) -> list[Slice]:
    step_s = next((step for step in _SLICES_S if end_s <= step * MOST_SLICES), end_s / MOST_SLICES)
    count = max(1, int(-(-end_s // step_s)))
    parts = [_Part() for _ in range(count)]

    def place(at_s: float) -> int:
        return min(count - 1, int(at_s // step_s))

    for reply in replies:
        parts[place(reply.at_s)].ttfa_ms.append(reply.ttfa_ms)
    for each in failed:
        parts[place(each.end_s)].failures[each.call.failure or "expectations"] += 1
    for (at_s, alive), (until_s, _) in zip(steps, [*steps[1:], (end_s, 0)], strict=True):
        # A step that ends exactly where the next slice begins does not count there.
        for index in range(place(at_s), place(max(at_s, until_s - 1e-9)) + 1):
            parts[index].alive = max(parts[index].alive, alive)
    return [_slice(part, index * step_s, min(end_s, (index + 1) * step_s)) for index, part in enumerate(parts)]


def _slice(part: _Part, from_s: float, until_s: float) -> Slice:
    p50, p95 = (percentile(part.ttfa_ms, share) if part.ttfa_ms else None for share in (50, 95))
    return Slice(
        from_s=from_s,
        until_s=round(until_s, 3),
        alive=part.alive,
        turns=len(part.ttfa_ms),
        p50_ms=p50,
        p95_ms=p95,
        failures=dict(part.failures.most_common()),
    )


def _dots(replies: Sequence[_Reply]) -> Dots:
    if len(replies) > MOST_DOTS:
        return Dots()
    return Dots(
        at_s=[round(reply.at_s, 3) for reply in replies],
        ttfa_ms=[reply.ttfa_ms for reply in replies],
        call=[reply.call for reply in replies],
        turn=[reply.turn for reply in replies],
    )


def _words(calls: int, end_s: float, slices: Sequence[Slice], replies: Sequence[_Reply], failed: int) -> str:
    most = max((each.alive for each in slices), default=0)
    told = [f"{counted(calls, 'call')} in {seconds(end_s * 1000)}, at most {most} at once"]
    if replies:
        values = [reply.ttfa_ms for reply in replies]
        told.append(f"TTFA p50 {with_ms(percentile(values, 50))} of {counted(len(values), 'turn')}")
        halves = (
            [reply.ttfa_ms for reply in replies if reply.at_s < end_s / 2],
            [reply.ttfa_ms for reply in replies if reply.at_s >= end_s / 2],
        )
        if all(halves):
            first, second = (with_ms(percentile(half, 50)) for half in halves)
            told[-1] += f" ({first} in the first half of the time, {second} in the second)"
    told.append(f"{counted(failed, 'call')} failed")
    return "; ".join(told)
