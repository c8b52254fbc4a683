"""Whether an agent stopped at a barge-in, or only paused between two sentences."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.clock import NS_PER_S
from harness.hearing.voice import Voice, count_before, is_backchannel, stop_after

PAUSE_NS = 1 * NS_PER_S  # an agent that writes no text and is silent for longer has stopped; sentences are closer
NEXT_SENTENCE_NS = 3 * NS_PER_S
LONGEST_PAUSE_NS = 2 * NS_PER_S  # within one answer, of an agent that writes text


@dataclass(frozen=True, slots=True)
class Stop:
    """When the agent stopped; `pause_ns` is the length of its silence if that may only have been a pause."""

    at_ns: int
    pause_ns: int | None = None


def _writes_by_sentence(replies_ns: Sequence[int]) -> bool:
    """Whether the agent writes each sentence as it says it, so that replies begin closer together than turns can."""
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
    """Finds when an agent that speaks at `start_ns` stopped; None if it did not, or that is not known yet.

    An agent that is silent for 500 ms and then continues over the caller has not stopped, unless the continuation is an
    "mm-hmm". An agent that speaks again after the caller's end has stopped if it wrote something new; otherwise its old
    answer continues.

    Args:
        voices: The agent's voices.
        start_ns: When the caller began to talk over the agent.
        end_ns: When the caller's voice ended.
        turn_end_ns: The end of the turn; anything later belongs to another turn.
        known_until_ns: The time until which the agent's voice is known.
        replies_ns: When the agent began to write replies in this call; empty if it writes none.
        transcripts_ns: When the agent sent transcripts. If it sends them, a new answer comes after the transcript, and
            a text before it may be the next sentence of the old answer.
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
