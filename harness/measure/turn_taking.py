"""Turn-taking metrics: false stops, double talk and dead air.

All times are monotonic nanoseconds on the wire. The caller's voice lasts from its voiced start to its voiced end,
including pauses within the utterance.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.clock import NS_PER_MS
from harness.hearing.voice import FALSE_STOP_NS, Voice, count_before, last_before


def talk_over_ns(voices: Sequence[Voice], start_ns: int, end_ns: int, *, known_until_ns: int) -> int:
    """How long the agent spoke while the caller did, from `start_ns` to `end_ns`."""
    over_ns = 0
    for index in range(last_before(voices, start_ns), count_before(voices, end_ns)):
        voice = voices[index]
        voice_end_ns = known_until_ns if voice.end_ns is None else voice.end_ns
        over_ns += max(0, min(voice_end_ns, end_ns) - max(voice.onset_ns, start_ns))
    return over_ns


def dead_air_ns(voices: Sequence[Voice], end_ns: int, turn_end_ns: int) -> int | None:
    """The longest silence of both sides between the caller's end and the agent's last voice in the turn.

    This includes the wait for the reply and the gap between a filler and the answer. None if the agent has no voice
    after the caller's end: the silence then depends on the caller's timeout, not on the agent.
    """
    quiet_from_ns = end_ns
    longest_ns: int | None = None
    for index in range(last_before(voices, end_ns), count_before(voices, turn_end_ns + 1)):
        voice = voices[index]
        voice_end_ns = turn_end_ns if voice.end_ns is None else voice.end_ns
        if voice_end_ns <= end_ns:
            continue
        longest_ns = max(longest_ns or 0, voice.onset_ns - quiet_from_ns)
        quiet_from_ns = max(quiet_from_ns, voice_end_ns)
    return longest_ns


def stopped_falsely(stop_ms: float | None, end_ms: float | None) -> bool:
    """Whether the agent stopped during a sound that should not stop it, or within 1 s of the sound's end at `end_ms`.

    `stop_ms` is the start of the first 500 ms or more without voice (`voice.stop_after`); None if it kept talking.
    """
    return stop_ms is not None and end_ms is not None and stop_ms <= end_ms + FALSE_STOP_NS / NS_PER_MS
