"""Whether an agent that was talked over stopped, or only paused between two sentences."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.clock import NS_PER_S
from harness.hearing.voice import Voice, count_before, is_backchannel, stop_after

PAUSE_NS = 1 * NS_PER_S  # an agent that writes nothing and is silent for longer has stopped; sentences are closer
NEXT_SENTENCE_NS = 3 * NS_PER_S
LONGEST_PAUSE_NS = 2 * NS_PER_S  # in the same answer, of one that writes what it says


@dataclass(frozen=True, slots=True)
class Stop:
    """When the agent fell silent; `pause_ns` is how long it did where it may only have paused."""

    at_ns: int
    pause_ns: int | None = None


def _writes_by_sentence(replies_ns: Sequence[int]) -> bool:
    """Whether the agent writes each sentence as it says it: its replies then begin closer than turns can."""
    close = [after - before < NEXT_SENTENCE_NS for before, after in itertools.pairwise(replies_ns)]
    return any(both == (True, True) for both in itertools.pairwise(close))


def find_stop(
    voices: Sequence[Voice],
    start_ns: int,
    end_ns: int,
    *,
    turn_end_ns: int,
    known_until_ns: int,
    replies_ns: Sequence[int],
    transcripts_ns: Sequence[int] = (),
) -> Stop | None:
    """When an agent that speaks at `start_ns` stopped; None where it did not, or that is not known yet.

    One that is silent for 500 ms and then speaks on over the caller has not stopped, unless that is an "mm-hmm". One
    that speaks again once the caller has ended has, where it writes something new; without that it is the same answer
    that goes on.

    Args:
        voices: The agent's.
        start_ns: When the caller's voice set in over it.
        end_ns: When that ended.
        turn_end_ns: What comes after it is of another turn.
        known_until_ns: Up to when the agent's voice is known.
        replies_ns: When the agent began to write replies in this call; empty where it writes none.
        transcripts_ns: When it wrote what it had heard. One that does so writes a new answer after that; what it writes
            before may be the next sentence of the old one.
    """
    from_ns = start_ns
    while True:
        stop_ns = stop_after(voices, from_ns, known_until_ns=known_until_ns)
        if stop_ns is None:
            return None
        after = count_before(voices, max(stop_ns, from_ns))
        if after == len(voices) or voices[after].onset_ns > turn_end_ns:
            return Stop(stop_ns)
        again_ns = voices[after].onset_ns
        pause_ns = again_ns - stop_ns
        if again_ns < end_ns:
            stopped = is_backchannel(voices, after, end_ns)
        elif not replies_ns:
            return Stop(stop_ns, pause_ns if pause_ns < PAUSE_NS else None)
        else:
            since_ns = start_ns
            if transcripts_ns:
                heard = bisect_left(transcripts_ns, start_ns)
                since_ns = transcripts_ns[heard] if heard < len(transcripts_ns) else turn_end_ns + 1
            is_new = bisect_left(replies_ns, since_ns) < bisect_right(replies_ns, turn_end_ns)
            if is_new and pause_ns < PAUSE_NS and _writes_by_sentence(replies_ns):
                return Stop(stop_ns, pause_ns)
            stopped = is_new or pause_ns >= LONGEST_PAUSE_NS
        if stopped:
            return Stop(stop_ns)
        from_ns = again_ns
