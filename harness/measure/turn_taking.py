"""How a turn was taken: whether one cut the other off, how long both spoke, how long neither did.

All times are monotonic nanoseconds on the wire. The caller's voice lasts from its voiced start to its voiced end; the
pauses within an utterance count as its voice.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.clock import NS_PER_MS
from harness.hearing.voice import FALSE_STOP_NS, Voice, count_before, last_before


def talk_over_ns(voices: Sequence[Voice], start_ns: int, end_ns: int, *, known_until_ns: int) -> int:
    """How long the agent spoke while the caller did, from `start_ns` to `end_ns`; a voice that lasts is open-ended."""
    over_ns = 0
    for index in range(last_before(voices, start_ns), count_before(voices, end_ns)):
        voice = voices[index]
        voice_end_ns = known_until_ns if voice.end_ns is None else voice.end_ns
        over_ns += max(0, min(voice_end_ns, end_ns) - max(voice.onset_ns, start_ns))
    return over_ns


def dead_air_ns(voices: Sequence[Voice], end_ns: int, turn_end_ns: int) -> int | None:
    """The longest silence of both between the caller's end and the agent's last voice in the turn.

    The wait for the reply is such a silence, and so is the gap between a filler and the answer. None where the agent
    has no voice after the caller's end: how long nobody spoke is then the caller's patience, not the agent's doing.
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
    """Whether the agent fell silent during what should not have put it off, or within 1 s of its end at `end_ms`.

    `stop_ms` is the start of the first 500 ms or more without voice (`voice.stop_after`); None: it talked on.
    """
    return stop_ms is not None and end_ms is not None and stop_ms <= end_ms + FALSE_STOP_NS / NS_PER_MS
