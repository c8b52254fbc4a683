"""Notes on a call: what a reader should know besides its numbers."""

from __future__ import annotations

from harness.clock import NS_PER_S
from harness.measure.media_health import media_health
from harness.measure.who_was_there import notes_of_company
from harness.text.counted import counted
from harness.timeline.events import SessionCreated
from harness.timeline.spans import CallSpans

BEHIND_S, BEHIND_MS = 5, 100.0  # falling behind this much in this time is audible as gaps
CLOCK_STEP_MS = 10.0  # a slewed clock moves by at most 0.5 ms per second (adjtime(3))


def call_notes(spans: CallSpans, *, stray: int, altered_echoes: int = 0, stray_tools: int = 0) -> list[str]:
    """The notes on a call, one sentence each.

    Args:
        spans: The call.
        stray: How many texts belong to no turn.
        altered_echoes: How many echoes differ from the text that was sent.
        stray_tools: How many tool calls belong to no turn.
    """
    media = media_health(spans.media, spans.voice_ends)
    notes = []
    created = spans.one(SessionCreated)
    if created is not None and created.retries:
        notes.append(
            f"the session service asked to come again {counted(created.retries, 'time')} (429), "
            f"{created.retry_wait_ms / 1000:.1f} s in all"
        )
    notes += notes_of_company(spans)
    for gap in spans.gaps:
        back = "" if gap.until_ns is None else f" for {(gap.until_ns - gap.from_ns) / NS_PER_S:.1f} s"
        notes.append(f"our own connection to the room was away{back}")
    step_ms = max((abs(event.clock_step_ms or 0.0) for event in spans.seconds), default=0.0)
    if step_ms >= CLOCK_STEP_MS:
        notes.append(f"the time of day was set by {step_ms:.0f} ms in the call; no number here depends on it")
    if spans.junk:
        notes.append(f"ignored on voice.reply: {counted(spans.junk, 'frame')}")
    if spans.tool_junk:
        notes.append(f"ignored on voice.tool_call: {counted(spans.tool_junk, 'frame')}")
    if stray:
        notes.append(f"of no turn: {counted(stray, 'text')}")
    if stray_tools:
        notes.append(f"before the first turn: {counted(stray_tools, 'tool call')}")
    if altered_echoes:
        notes.append(
            f"not as sent, though it looks alike: {counted(altered_echoes, 'echoed text')} (spaces, dashes, "
            "invisible characters or the form of accents differ)"
        )
    heard = [turn.echo_heard for turn in spans.turns if turn.echo_heard]
    if heard:
        notes.append(
            f"the agent's channel carries the caller's own voice in {counted(len(heard), 'turn')}, "
            f"{heard[0].delay_ms:.0f} ms late and at {heard[0].gain_db:.0f} dB: it is left out, but "
            "interruptions cannot be told there, nor a reply that begins before it has died away"
        )
    if media.dropouts:
        notes.append(f"the agent's voice broke off {counted(media.dropouts, 'time')}, {media.dropout_ms:.0f} ms in all")
    behind_ms = _fell_behind_ms(spans)
    if behind_ms >= BEHIND_MS:
        notes.append(
            f"the agent's audio fell behind by {behind_ms:.0f} ms within {BEHIND_S} s: its machine, or the network, "
            "was too busy to send it in time"
        )
    return notes


def _fell_behind_ms(spans: CallSpans) -> float:
    """The most that a track of the agent fell behind real time within 5 s, in ms; 0 if unknown.

    A track that fell behind catches up only by skipping audio. Late packets followed by punctual ones are jitter.
    """
    worst_ms = 0.0
    for track in {event.track for event in spans.media}:
        told = [event.behind_ms or 0.0 for event in spans.media if event.track == track]
        windows = (sum(told[index : index + BEHIND_S]) for index in range(max(1, len(told) - BEHIND_S + 1)))
        worst_ms = max(worst_ms, *windows)
    return worst_ms
