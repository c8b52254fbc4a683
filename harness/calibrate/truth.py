"""Pairs a call's turns with the agent's truth log: which true delay belongs to which measured one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.call.engines.sdk_wait import JitterBufferWait, Reading, left_over_ms
from harness.clock import NS_PER_MS, ms
from harness.record.calibration import Kind
from harness.record.result import CallResult, TurnResult
from harness.timeline.events import Event, RoomConnected
from harness.timeline.spans import CallSpans, TurnSpan, gather

HEARD_BEFORE_NS = 20 * NS_PER_MS  # tolerance for the error being measured: a packet cannot arrive before it left
HEARD_WITHIN_NS = 2000 * NS_PER_MS
PACKET_SAMPLES = 960  # in 20 ms

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TurnCheck:
    """The measured and the true times of one turn, in ms.

    Attributes:
        call: The call's id.
        kind: Typed or spoken.
        at_s: When the caller ended, in seconds from the call's connection.
        configured_ms: The agent's configured delay.
        true_ms: From the arrival of the caller's voiced end (or text) at the agent to the first voiced sample pushed.
        measured_ms: `turn.ttfa`.
        hearing_ms: From the first voiced sample pushed by the agent to the onset heard by the caller.
        sending_ms: From sending the voiced end (or text) to its arrival at the agent.
        agent_late_ms: How late the agent's event loop handed over the first voiced frame.
        agent_buffer_ms: The delay in the agent's jitter buffer, already subtracted from the arrival; None for a text.
    """

    call: str
    kind: Kind
    at_s: float
    configured_ms: float
    true_ms: float
    measured_ms: float
    hearing_ms: float
    sending_ms: float
    agent_late_ms: float = 0.0
    agent_buffer_ms: float | None = None

    @property
    def error_ms(self) -> float:
        """Measured minus true."""
        return self.measured_ms - self.true_ms


@dataclass(frozen=True, slots=True)
class CallCheck:
    """A call's paired turns; `missed` and `unfit` count the turns left out, `lost` is the call's failure, if any."""

    turns: Sequence[TurnCheck]
    missed: Mapping[Kind, int]
    unfit: Mapping[Kind, int]
    lost: str | None = None


def check_call(result: CallResult, events: Sequence[Event], truth: Sequence[Entry]) -> CallCheck:
    """Pairs a call's turns with the truth log's entries for its room. By time only, never by similarity of values."""
    spans = gather(events)
    ordered = sorted((entry for entry in truth if entry["room"] == result.room), key=lambda entry: int(entry["t"]))
    checks: list[TurnCheck] = []
    missed: dict[Kind, int] = {"typed": 0, "spoken": 0}
    unfit: dict[Kind, int] = {"typed": 0, "spoken": 0}
    for turn, measured in zip(spans.turns, result.turns, strict=True):
        kind: Kind = "typed" if turn.kind == "type" else "spoken"
        if not measured.sure:
            unfit[kind] += 1
            continue
        check = _check_turn(result.call, kind=kind, spans=spans, turn=turn, measured=measured, truth=ordered)
        if check is None:
            missed[kind] += 1
        else:
            checks.append(check)
    return CallCheck(checks, missed, unfit, result.failure)


def _check_turn(
    call: str, *, kind: Kind, spans: CallSpans, turn: TurnSpan, measured: TurnResult, truth: Sequence[Entry]
) -> TurnCheck | None:
    left_ns = turn.caller_end_ns
    connected_ns = spans.at(RoomConnected)
    if left_ns is None or connected_ns is None or measured.ttfa_ms is None:
        return None
    name = "data_in" if kind == "typed" else "caller_voiced_end"
    heard = next(
        (
            index
            for index, entry in enumerate(truth)
            if entry["event"] == name and -HEARD_BEFORE_NS <= int(entry["at_ns"]) - left_ns <= HEARD_WITHIN_NS
        ),
        None,
    )
    if heard is None:
        return None
    after = list(_until_next_turn(truth[heard + 1 :]))
    decided = next((entry for entry in after if entry["event"] == "decided"), None)
    pushed = next((entry for entry in after if entry["event"] == "push_start" and entry["what"] == "reply"), None)
    onset_ns = next(
        (
            voice.onset_ns
            for voice in spans.voices
            if measured.agent_onset_ms is not None
            and abs(ms(voice.onset_ns - connected_ns) - measured.agent_onset_ms) < 1
        ),
        None,
    )
    if pushed is None or decided is None or onset_ns is None:
        return None
    buffer_ms = _agent_buffer_ms(truth, heard) if kind == "spoken" else None
    came_ns = int(truth[heard]["at_ns"]) - round((buffer_ms or 0.0) * NS_PER_MS)
    pushed_ns = int(pushed["at_ns"])
    return TurnCheck(
        call=call,
        kind=kind,
        at_s=(left_ns - connected_ns) / 1e9,
        configured_ms=decided["delay_ms"],
        true_ms=ms(pushed_ns - came_ns),
        measured_ms=measured.ttfa_ms,
        hearing_ms=ms(onset_ns - pushed_ns),
        sending_ms=ms(came_ns - left_ns),
        agent_late_ms=pushed.get("late_ms", 0.0),
        agent_buffer_ms=buffer_ms,
    )


def _until_next_turn(entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        if entry["event"] in ("data_in", "caller_voiced_end"):
            return
        yield entry


def _agent_buffer_ms(truth: Sequence[Entry], heard: int) -> float:
    """The jitter buffer delay in ms of the audio heard in entry `heard`, from the statistics logged up to then."""
    wait = JitterBufferWait()
    before: Entry | None = None
    left_ms = 0.0
    for entry in truth:
        if entry["event"] != "jitter_buffer" or "samples" not in entry:
            continue
        samples = int(entry["samples"]) - int(before["samples"]) if before is not None else 0
        counted_ms = 1000 * (entry["delay_s"] - before["delay_s"]) / samples if before is not None and samples else None
        fresh = before is None or entry["last_packet_ns"] != before["last_packet_ns"]
        reading = Reading(
            counted_ms=counted_ms,
            taken=samples // PACKET_SAMPLES,
            last_packet_ns=entry["last_packet_ns"] if fresh else None,
            age_ms=entry["age_ms"],
            waiting=entry["packets"] - entry["samples"] // PACKET_SAMPLES,
            flowing=True,  # a caller sends silence too
        )
        wait.read(reading, truth[heard].get("tick_ns"))
        left_ms = left_over_ms(entry["inserted"] - entry["removed"] + entry["concealed"])
        before = entry
        if entry["t"] >= truth[heard]["at_ns"]:
            break
    return round((wait.wait_ms or 0.0) + left_ms, 3)
