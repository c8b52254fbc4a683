"""The layout of a call's timeline chart. Pure geometry; `templates/timeline.svg.j2` renders it as SVG.

Lengths are CSS pixels, the origin is the top left. From top to bottom: turns, the caller's lane, TTFA brackets, the
agent's lane, stop brackets (if any), texts, the axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from harness.record.result import CallResult, TurnResult
from harness.report.numbers import seconds, with_ms

LEFT = 64.0
RIGHT = 24.0
WIDTH = 1100.0
LEAST_PX_PER_S = 15.0
MOST_WIDTH = 6000.0
LANE_HEIGHT = 18.0
_TURN_Y, _CALLER_Y, _TTFA_Y, _AGENT_Y = 4.0, 26.0, 60.0, 66.0
_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_LEAST_TICK_PX = 54.0
_SIGN_PX = 10.0


@dataclass(frozen=True)
class Bar:
    """A voiced stretch in a lane."""

    x: float
    width: float
    title: str


@dataclass(frozen=True)
class Mark:
    """An event at `x`. Its `sign` is drawn at `sign_x`, a little to the right where marks are dense."""

    x: float
    sign: str
    kind: str
    title: str
    lane: Literal["caller", "between", "agent", "texts"] = "texts"
    sign_x: float = 0.0


@dataclass(frozen=True)
class Bracket:
    """A measured delay from `x` to `x2`."""

    x: float
    x2: float
    label: str
    title: str
    labelled: bool = True

    @property
    def middle(self) -> float:
        """The x coordinate on which the label is centred."""
        return (self.x + self.x2) / 2


@dataclass(frozen=True)
class TurnBand:
    """A turn, from its start to its end."""

    x: float
    width: float
    number: int
    title: str


@dataclass(frozen=True)
class Tick:
    """A tick of the axis."""

    x: float
    label: str


@dataclass
class TimeLine:
    """The whole chart of a call. `x = left + seconds * px_per_s`."""

    width: float
    height: float
    px_per_s: float
    end_s: float
    left: float = LEFT
    lane_height: float = LANE_HEIGHT
    turn_y: float = _TURN_Y
    caller_y: float = _CALLER_Y
    ttfa_y: float = _TTFA_Y
    agent_y: float = _AGENT_Y
    stop_y: float = 0.0
    texts_y: float = 0.0
    axis_y: float = 0.0
    turns: list[TurnBand] = field(default_factory=list)
    caller: list[Bar] = field(default_factory=list)
    agent: list[Bar] = field(default_factory=list)
    ttfa: list[Bracket] = field(default_factory=list)
    stops: list[Bracket] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)


def said_ms(turn: TurnResult) -> float | None:
    """The time from which a turn's delays count: the caller's voiced end, or when the text was sent."""
    if turn.caller_end_ms is not None:
        return turn.caller_end_ms
    if turn.kind != "type":
        return None
    return turn.caller_start_ms if turn.caller_start_ms is not None else turn.started_ms


def time_line(call: CallResult) -> TimeLine | None:
    """The chart of a call, or None if nobody spoke and there was no turn."""
    end_ms = max(_moments(call), default=0.0)
    if end_ms <= 0 or not (call.turns or call.caller_voice or call.agent_voice):
        return None
    end_s = end_ms / 1000 * 1.01
    px_per_s = max((WIDTH - LEFT - RIGHT) / end_s, LEAST_PX_PER_S)
    px_per_s = min(px_per_s, (MOST_WIDTH - LEFT - RIGHT) / end_s)
    line = TimeLine(width=LEFT + end_s * px_per_s + RIGHT, height=0, px_per_s=px_per_s, end_s=end_s)
    _Drawing(line).draw(call)
    return line


def _moments(call: CallResult) -> Iterator[float]:
    """Yields all times of the call that the chart must cover, in ms."""
    for _start, end in (*call.caller_voice, *call.agent_voice):
        yield end
    for turn in call.turns:
        yield from (at for at in (turn.started_ms, turn.ended_ms, turn.agent_onset_ms, said_ms(turn)) if at is not None)
    for wait in call.waits:
        yield wait.ended_ms or 0.0
    for seen in call.failures:
        yield seen.at_ms or 0.0


class _Drawing:
    def __init__(self, line: TimeLine) -> None:
        self.line = line

    def x(self, at_ms: float) -> float:
        return round(LEFT + max(0.0, at_ms) / 1000 * self.line.px_per_s, 1)

    def draw(self, call: CallResult) -> None:
        line = self.line
        line.caller = [self.bar("caller", *span) for span in call.caller_voice]
        line.agent = [self.bar("agent", *span) for span in call.agent_voice]
        greeting = call.greeting
        if greeting is not None and greeting.ttfa_ms is not None and greeting.onset_ms is not None:
            asked_ms = greeting.onset_ms - greeting.ttfa_ms
            line.ttfa.append(self.bracket(asked_ms, greeting.ttfa_ms, "greeting, from our join request"))
        for turn in call.turns:
            self.turn(turn)
        for seen in call.failures:
            if seen.at_ms is not None:
                title = f"{seen.kind} at {seconds(seen.at_ms)}: {seen.what}"
                line.marks.append(Mark(self.x(seen.at_ms), "✕", "failure", title, "agent"))
        line.ttfa = _without_overlaps(line.ttfa)
        line.stops = _without_overlaps(line.stops)
        line.marks = _with_room(line.marks)
        self.rows()
        self.axis()

    def bar(self, who: str, start_ms: float, end_ms: float) -> Bar:
        x = self.x(start_ms)
        width = max(1.0, round(self.x(end_ms) - x, 1))
        return Bar(x, width, f"{who} voiced, {seconds(start_ms)} to {seconds(end_ms)}")

    def bracket(self, from_ms: float, delay_ms: float, what: str) -> Bracket:
        label = with_ms(delay_ms)
        return Bracket(self.x(from_ms), self.x(from_ms + delay_ms), label, f"{what}: {label}")

    def turn(self, turn: TurnResult) -> None:
        line, name = self.line, f"turn {turn.turn}"
        start_ms = turn.started_ms if turn.started_ms is not None else turn.caller_start_ms
        if start_ms is not None:
            end_ms = turn.ended_ms if turn.ended_ms is not None else start_ms
            x = self.x(start_ms)
            title = f"{name} ({turn.kind}), from {seconds(start_ms)}"
            line.turns.append(TurnBand(x, max(0.0, round(self.x(end_ms) - x, 1)), turn.turn, title))
        said = said_ms(turn)
        if turn.kind == "type" and said is not None:
            line.marks.append(Mark(self.x(said), "▸", "typed", f"{name}: typed at {seconds(said)}", "caller"))
        if turn.kind == "barge_in" and turn.caller_start_ms is not None:
            begun = turn.caller_start_ms
            talks_over = "talks over the agent" if turn.exercised else "barge-in not exercised: the agent was silent"
            title = f"{name}: {talks_over}, {seconds(begun)}"
            line.marks.append(Mark(self.x(begun), "↯", "barge", title, "between"))
            if turn.stop_ms is not None:
                line.stops.append(self.bracket(begun, turn.stop_ms, f"{name}: agent stopped after"))
        if said is None:
            return
        if turn.ttfa_ms is not None:
            line.ttfa.append(self.bracket(said, turn.ttfa_ms, f"{name}: TTFA"))
        for sign, kind, delay_ms in (
            ("T", "transcript", turn.transcript_ms),
            ("E", "echo", turn.echo_ms),
            ("R", "reply text", turn.reply_text_ms),
        ):
            if delay_ms is not None:
                title = f"{name}: {kind} after {with_ms(delay_ms)}"
                line.marks.append(Mark(self.x(said + delay_ms), sign, kind.replace(" ", "-"), title))

    def rows(self) -> None:
        line = self.line
        below = _AGENT_Y + LANE_HEIGHT
        line.stop_y = below + 8
        below = line.stop_y + 14 if line.stops else below
        line.texts_y = below + 6
        below = line.texts_y + 16 if any(mark.lane == "texts" for mark in line.marks) else below
        line.axis_y = below + 6
        line.height = line.axis_y + 22

    def axis(self) -> None:
        self.line.ticks = axis_ticks(self.line.end_s, self.line.px_per_s)


def axis_ticks(end_s: float, px_per_s: float) -> list[Tick]:
    """The ticks of a time axis that starts at `LEFT`, spaced to be readable; in minutes or hours if it is long."""
    step_s = next((step for step in _STEPS_S if step * px_per_s >= _LEAST_TICK_PX), _STEPS_S[-1])
    size_s, unit = (3600, "h") if step_s >= 3600 else (60, "min") if step_s >= 300 else (1, "s")
    count = int(end_s / step_s) + 1
    return [
        Tick(round(LEFT + index * step_s * px_per_s, 1), f"{index * step_s / size_s:g} {unit}")
        for index in range(count)
    ]


def _without_overlaps(brackets: list[Bracket]) -> list[Bracket]:
    """The brackets sorted by x, without labels that would overlap the previous one (the title still has the value)."""
    kept: list[Bracket] = []
    free_from = 0.0
    for bracket in sorted(brackets, key=lambda bracket: bracket.x):
        half_px = len(bracket.label) * 3.1 + 2
        labelled = bracket.middle - half_px >= free_from
        if labelled:
            free_from = bracket.middle + half_px
        kept.append(replace(bracket, labelled=labelled))
    return kept


def _with_room(marks: list[Mark]) -> list[Mark]:
    """The marks sorted by x, each sign moved right until it clears the previous one in its lane."""
    placed: list[Mark] = []
    free_from: dict[str, float] = {}
    for mark in sorted(marks, key=lambda mark: mark.x):
        sign_x = max(mark.x, free_from.get(mark.lane, 0.0))
        free_from[mark.lane] = sign_x + _SIGN_PX
        placed.append(replace(mark, sign_x=sign_x))
    return placed
