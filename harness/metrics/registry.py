"""The registry of metrics: the definition of each, which engines provide it, and where its samples come from.

Reports, thresholds, objectives, recordings and the tables of `docs/metrics.md` are driven by this list. A new metric
takes a field of `CallResult` or `TurnResult` (`record/result.py`), the code that measures it, and an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.metrics.metric import CallMetric, ExpectationMetric, Metric, SecondMetric, TurnMetric, Unit, Worse
from harness.record.metric_ref import MetricRef
from harness.record.result import CallResult, TurnResult
from harness.timeline.events import TurnKind

_SPOKEN: tuple[TurnKind, ...] = ("say", "barge_in")


def _is_to_talk_on(turn: TurnResult) -> bool:
    """Whether the agent was meant to keep talking. It owes no reply, so it can neither stop nor interrupt."""
    return turn.false_stop is not None or any(
        expectation.expect == "keeps_talking" for expectation in turn.expectations
    )


def _stop_ms(turn: TurnResult) -> float | None:
    return turn.stop_ms if turn.exercised and not _is_to_talk_on(turn) else None


def _interrupted(turn: TurnResult) -> float | None:
    return None if turn.talk_over_ms is None or _is_to_talk_on(turn) else float(turn.interrupted)


def _false_stop(turn: TurnResult) -> float | None:
    return None if turn.false_stop is None else float(turn.false_stop)


def _failed(call: CallResult) -> float | None:
    return None if call.cut else float(not call.ok)


def _was_not_lost_by_us(call: CallResult) -> bool:
    outcomes = {expectation.outcome for _, expectation in call.expectations()}
    return call.failure is None or call.sure_failure is not None or "failed" in outcomes


def _greeting_ms(call: CallResult) -> float | None:
    return None if call.greeting is None else call.greeting.ttfa_ms


def _greeting_is_fit(call: CallResult) -> bool:
    return call.greeting is not None and call.greeting.fit


def _audio(
    name: str, unit: Unit, meaning: str, definition: str, field: str, *, worse: Worse = "higher", **more: Any
) -> CallMetric:
    """A metric of the agent's audio over the whole call, taken from `field` of `call.media`."""

    def value(call: CallResult) -> float | None:
        found: float | None = getattr(call.media, field)
        return found

    return CallMetric(
        name=name, unit=unit, meaning=meaning, definition=definition, worse=worse, value=value, of_audio=True, **more
    )


_REGISTERED: tuple[Metric, ...] = (
    CallMetric(
        name="session.create",
        unit="ms",
        meaning="session requested → credentials",
        definition="session requested → credentials parsed, retries after a 429 included",
        worse="higher",
        left_out="no session came",
        value=lambda call: call.session_create_ms,
    ),
    CallMetric(
        name="room.connect",
        unit="ms",
        meaning="join asked → connected",
        definition="our join request → connected",
        worse="higher",
        left_out="not connected",
        value=lambda call: call.room_connect_ms,
    ),
    CallMetric(
        name="agent.join",
        unit="ms",
        meaning="join asked → agent's audio subscribed",
        definition="our join request → agent's audio track subscribed",
        worse="higher",
        left_out="no agent joined",
        since=2,
        value=lambda call: call.agent_join_ms,
    ),
    CallMetric(
        name="greeting.ttfa",
        unit="ms",
        meaning="join asked → agent's first voice",
        definition="our join request → onset of the agent's first speech",
        worse="higher",
        left_out="`greeting: false`, or no speech before turn 1",
        since=3,
        value=_greeting_ms,
        is_fit=_greeting_is_fit,
    ),
    TurnMetric(
        name="turn.ttfa",
        unit="ms",
        meaning="caller's end → agent's voice, wire to wire",
        definition="caller's end → onset of the agent's voice, wire to wire",
        worse="higher",
        left_out="no reply in time; interrupted; unfit",
        since=3,
        in_recordings=True,
        value=lambda turn: turn.ttfa_ms,
        when_cut="known",
    ),
    TurnMetric(
        name="turn.ttfa_ear",
        unit="ms",
        meaning="the same, as a person would have heard it",
        definition="what a person would have waited: from the voice at our microphone to the onset behind our jitter "
        "buffer",
        worse="higher",
        left_out="as `turn.ttfa`; engine `light`",
        since=3,
        engines=("sdk",),
        value=lambda turn: turn.ttfa_ear_ms,
    ),
    TurnMetric(
        name="turn.first_sound",
        unit="ms",
        meaning="caller's end → the agent's first audible sound",
        definition="as `turn.ttfa`, to the agent's first audible sound, voice or background",
        worse="higher",
        left_out="no sound came; unfit",
        since=3,
        value=lambda turn: turn.first_sound_ms,
        when_cut="known",
    ),
    TurnMetric(
        name="turn.transcript",
        unit="ms",
        meaning="caller's end → its transcript",
        definition="caller's end → the [final transcript](#texts-as-services-send-them) of the turn first received",
        worse="higher",
        left_out="none came, or only before the caller's end; unfit",
        kinds=_SPOKEN,
        value=lambda turn: turn.transcript_ms,
        of_reply=False,
    ),
    TurnMetric(
        name="turn.echo",
        unit="ms",
        meaning="text sent → its echo",
        definition="text sent → its echo received",
        worse="higher",
        left_out="none came; unfit",
        kinds=("type",),
        value=lambda turn: turn.echo_ms,
        of_reply=False,
    ),
    TurnMetric(
        name="turn.reply_text",
        unit="ms",
        meaning="caller's end → first reply text",
        definition="caller's end → first reply text received",
        worse="higher",
        left_out="none came; unfit",
        since=3,
        value=lambda turn: turn.reply_text_ms,
    ),
    TurnMetric(
        name="turn.interrupted",
        unit="ratio",
        meaning="turns in which the agent started before the caller's end",
        definition="share of turns in which the agent cut in on the caller",
        worse="higher",
        left_out="`keeps_talking` steps; unfit",
        is_rate=True,
        since=3,
        in_recordings=True,
        kinds=_SPOKEN,
        keeps_talking="never",
        value=_interrupted,
    ),
    TurnMetric(
        name="turn.talk_over",
        unit="ms",
        meaning="both voices at once, in a turn",
        definition="how long both voices overlapped between the caller's voiced start and end",
        worse="higher",
        left_out="unfit",
        since=3,
        in_recordings=True,
        kinds=_SPOKEN,
        value=lambda turn: turn.talk_over_ms,
        of_reply=False,
    ),
    TurnMetric(
        name="turn.dead_air",
        unit="ms",
        meaning="longest silence of both until the agent's last voice",
        definition="longest silence of both from the caller's end to the agent's last voice of the turn",
        worse="higher",
        left_out="no voice of the agent in it; unfit",
        since=3,
        in_recordings=True,
        value=lambda turn: turn.dead_air_ms,
        when_cut="waited",
    ),
    TurnMetric(
        name="turn.wer",
        unit="ratio",
        meaning="word error rate of transcripts",
        definition="word error rate of the transcript, a ratio",
        worse="higher",
        left_out="no transcript came, or the spoken text is unknown; unfit",
        since=3,
        kinds=_SPOKEN,
        value=lambda turn: turn.wer,
        of_reply=False,
    ),
    TurnMetric(
        name="bargein.stop",
        unit="ms",
        meaning="caller's onset over the agent → agent silent",
        definition="caller's onset over the agent's speech → the agent silent",
        worse="higher",
        left_out="not exercised; `keeps_talking`; it did not stop; unfit",
        since=3,
        in_recordings=True,
        kinds=("barge_in",),
        keeps_talking="never",
        value=_stop_ms,
    ),
    TurnMetric(
        name="bargein.false_stop",
        unit="ratio",
        meaning="coughs and other short sounds that stopped the agent",
        definition="share of `keeps_talking` steps at which it stopped, up to 1 s after the caller's end",
        worse="higher",
        left_out="not exercised; unfit",
        is_rate=True,
        since=3,
        kinds=("barge_in",),
        keeps_talking="only",
        value=_false_stop,
    ),
    _audio(
        "audio.loss",
        "ratio",
        "share of the agent's packets lost, in a call",
        "the agent's packets that did not come, by sequence numbers, of all",
        "loss",
    ),
    _audio(
        "audio.concealed",
        "ratio",
        "share of its samples made up for lost ones, in a call",
        "samples made up for missing ones, of all; silence for silence not sent is none",
        "concealed",
    ),
    _audio(
        "audio.clipped",
        "ratio",
        "share of its voice at full scale, in a call",
        "samples of the agent's voice in runs of 3 or more at full scale (99 %)",
        "clipped",
        in_recordings=True,
    ),
    _audio(
        "audio.jitter",
        "ms",
        "mean jitter of its packets (RTCP), in a call",
        "the mean of one value a second, as the engine's statistics tell it (RFC 3550)",
        "jitter_ms",
    ),
    _audio(
        "audio.rtt",
        "ms",
        "mean round trip to the server, in a call",
        "the mean of one value a second, as the engine's statistics tell it",
        "rtt_ms",
    ),
    _audio(
        "audio.jitter_buffer",
        "ms",
        "mean wait in our jitter buffer, in a call",
        "the mean of one value a second, as the SDK's statistics tell it; engine `sdk` alone",
        "jitter_buffer_ms",
        engines=("sdk",),
    ),
    _audio(
        "audio.level_dbfs",
        "dBFS",
        "active level of its voice, in a call",
        "the agent's active level: frames of 10 ms within 15.9 dB of their mean",
        "level_dbfs",
        worse="neither",
        in_recordings=True,
    ),
    SecondMetric(
        name="harness.lag",
        unit="ms",
        meaning="our own event loop, latest in each second",
        definition="the longest delay of the event loop, by a tick every 20 ms; one sample a second and call",
        worse="neither",
        values=lambda call: call.own.lag_ms,
    ),
    SecondMetric(
        name="harness.send_late",
        unit="ms",
        meaning="our own packets, latest in each second",
        definition="the latest hand-over of a 10 ms frame of the microphone against its deadline; one sample a second "
        "and call",
        worse="neither",
        values=lambda call: call.own.send_late_ms,
    ),
    CallMetric(
        name="calls.failed",
        unit="ratio",
        meaning="calls that failed",
        definition="share of calls that are not ok; cut ones are left out",
        worse="higher",
        is_rate=True,
        value=_failed,
        is_fit=_was_not_lost_by_us,
    ),
    ExpectationMetric(
        name="expectations.failed",
        unit="ratio",
        meaning="expectations that failed",
        definition="share of expectations that failed; undecided ones are left out",
        worse="higher",
        is_rate=True,
    ),
    TurnMetric(
        name="turns.unfit",
        unit="ratio",
        meaning="turns in which the harness was late",
        definition="share of turns in which the harness was late, or which are doubtful by no fault of the agent's",
        worse="neither",
        is_rate=True,
        since=3,
        value=lambda turn: float(turn.ours),
        always_fit=True,
    ),
)
# What a scenario can expect, and the unit of the measured value; None for an expectation that simply holds or not.
EXPECTATIONS: Mapping[str, Unit | None] = {
    "within": "ms",
    "ttfa": "ms",
    "echo": "ms",
    "wer": "ratio",
    "stops_within": "ms",
    "keeps_talking": "ms",
    "exercised": None,
    "ends_call": None,
    "agent_silent": "ms",
    "agent_speaks": "ms",
    "contains": None,
    "contains_any": None,
    "matches": None,
    "calls_tool": None,
}
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _REGISTERED}


def metric_of(name: str) -> Metric | None:
    """The metric called `name`, with or without tags (`turn.ttfa{kind:say}`); None if there is none."""
    return METRICS.get(MetricRef.read(name).metric)
