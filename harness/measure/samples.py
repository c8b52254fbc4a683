"""Every sample of every metric, with its tags, out of measured calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.measure.result import CallResult, TurnResult
from harness.scenario.metric_names import MetricRef


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric; a rate's is 1.0 where it failed, else 0.0.

    Attributes:
        fit: Not measured by a late harness, nor doubtful.
        by_agent: Where it is not fit, that is the agent's own doing.
        censored: The value itself is not known, only that it is larger: the turn was cut while it was awaited.
    """

    metric: str
    value: float
    scenario: str
    kind: str = ""
    expect: str = ""
    fit: bool = True
    censored: bool = False
    by_agent: bool = False

    @property
    def ours(self) -> bool:
        """Whether it counts, or was lost to something of ours; a cut wait counts as known."""
        return not self.by_agent or self.fit

    def matches(self, ref: MetricRef) -> bool:
        """Whether the sample belongs to the metric as narrowed by its tags."""
        return self.metric == ref.metric and all(getattr(self, key) == value for key, value in ref.tags)


def samples_of(calls: Iterable[CallResult]) -> Iterator[Sample]:
    """All samples. A cut call gives those of its finished turns; its running turn gives how long it was awaited."""
    for call in calls:
        yield from _of_call(call)
        for turn in call.turns:
            if not turn.cut:
                yield from _of_turn(call.scenario, turn)
            else:
                yield from _of_cut_turn(call.scenario, turn)


def _of_cut_turn(scenario: str, turn: TurnResult) -> Iterator[Sample]:
    """What of a turn that was cut is known: what came before the cut, and of the rest how long it was awaited."""
    known = {"turn.ttfa": turn.ttfa_ms, "turn.first_sound": turn.first_sound_ms}
    awaited = {"turn.ttfa": None, "turn.first_sound": None, "turn.dead_air": None}
    for metric in awaited:
        value = known.get(metric)
        censored = value is None and turn.awaited_ms is not None
        if value is None:
            value = turn.awaited_ms
        if value is not None:
            yield Sample(metric, value, scenario, turn.kind, fit=turn.sure, censored=censored, by_agent=not turn.ours)


def _of_call(call: CallResult) -> Iterator[Sample]:
    name = call.scenario
    single = {
        "session.create": call.session_create_ms,
        "room.connect": call.room_connect_ms,
        "agent.join": call.agent_join_ms,
        "greeting.ttfa": call.greeting.ttfa_ms if call.greeting else None,
    }
    for metric, value in single.items():
        if value is not None:
            is_fit = metric != "greeting.ttfa" or (call.greeting is not None and call.greeting.fit)
            yield Sample(metric, value, name, fit=is_fit)
    yield from _of_media(call)
    for lag_ms in call.own.lag_ms:
        yield Sample("harness.lag", lag_ms, name)
    for late_ms in call.own.send_late_ms:
        yield Sample("harness.send_late", late_ms, name)
    if call.cut:
        return
    outcomes = {expectation.outcome for _, expectation in call.expectations()}
    lost_by_ourselves = call.failure is not None and call.sure_failure is None and "failed" not in outcomes
    yield Sample("calls.failed", 0.0 if call.ok else 1.0, name, fit=not lost_by_ourselves)
    for _, expectation in call.expectations():
        if expectation.outcome != "undecided":
            failed = 1.0 if expectation.outcome == "failed" else 0.0
            yield Sample("expectations.failed", failed, name, expect=expectation.expect)


def _of_media(call: CallResult) -> Iterator[Sample]:
    """One sample a call. A busy machine of ours delays and conceals audio too: with an unfit turn it says nothing."""
    fit = all(turn.sure for turn in call.turns)
    for name, metric in (
        ("loss", "audio.loss"),
        ("concealed", "audio.concealed"),
        ("clipped", "audio.clipped"),
        ("jitter_ms", "audio.jitter"),
        ("rtt_ms", "audio.rtt"),
        ("jitter_buffer_ms", "audio.jitter_buffer"),
        ("level_dbfs", "audio.level_dbfs"),
    ):
        value = getattr(call.media, name)
        if value is not None:
            yield Sample(metric, value, call.scenario, fit=fit)


def _of_turn(scenario: str, turn: TurnResult) -> Iterator[Sample]:
    answered = {
        "turn.ttfa": turn.ttfa_ms,
        "turn.ttfa_ear": turn.ttfa_ear_ms,
        "turn.first_sound": turn.first_sound_ms,
        "turn.reply_text": turn.reply_text_ms,
        "turn.dead_air": turn.dead_air_ms,
        "bargein.stop": turn.stop_ms if turn.exercised and not _keeps_talking(turn) else None,
    }
    # Whose answer came does not matter to these.
    understood = {
        "turn.transcript": turn.transcript_ms,
        "turn.echo": turn.echo_ms,
        "turn.talk_over": turn.talk_over_ms,
        "turn.wer": turn.wer,
    }
    for values, fit in ((answered, turn.sure), (understood, not turn.ours)):
        for metric, value in values.items():
            if value is not None:
                yield Sample(metric, value, scenario, turn.kind, fit=fit, by_agent=not turn.ours)
    if turn.talk_over_ms is not None and not _keeps_talking(turn):
        yield Sample(
            "turn.interrupted", float(turn.interrupted), scenario, turn.kind, fit=turn.sure, by_agent=not turn.ours
        )
    if turn.false_stop is not None:
        yield Sample(
            "bargein.false_stop", float(turn.false_stop), scenario, turn.kind, fit=turn.sure, by_agent=not turn.ours
        )
    yield Sample("turns.unfit", 1.0 if turn.ours else 0.0, scenario, turn.kind)


def _keeps_talking(turn: TurnResult) -> bool:
    """Whether the agent was meant not to be put off: it owes no reply, so it can neither stop nor interrupt."""
    return turn.false_stop is not None or any(
        expectation.expect == "keeps_talking" for expectation in turn.expectations
    )
