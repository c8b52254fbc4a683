"""One side's voice in the other side's channel, and both channels without it.

An echo of the caller would interrupt every turn, and an agent that bleeds into the caller's channel would be a caller
who talks over it. Both are found by correlation (`echo.py`), as a call finds its own voice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.clock import NS_PER_MS
from harness.hearing.echo import Echo, without_echo
from harness.hearing.voice import SILENCE_NS, Voice, setting_in

EVEN_DB = 1.0  # as loud in both channels: which of them it came from, the level does not tell
AT_ONCE_MS = 5.0
MOST = 0.8
EDGE_NS = 50 * NS_PER_MS  # an onset may be found so much earlier in the other channel

Find = Callable[[Voice], Echo | None]


@dataclass(frozen=True, slots=True)
class Leak:
    """What was said from `start_ns` to `end_ns` is heard in the other channel."""

    start_ns: int
    end_ns: int
    own: Echo


def leaks(source: Sequence[Voice], other: Sequence[Voice], find: Find, *, mixed: bool = False) -> list[Leak]:
    """Where the voices of `source` are heard in the other channel, whose voices are `other`; all of them have ended.

    `find` looks for an utterance of the source there. It is asked only where a voice sets in meanwhile, and what is
    louder there than at its source is none of its own, nor what is as loud, unless the other channel is a mix.
    """
    found = _found_again(source, other, find)
    return [
        leak for leak in found if (leak.own.gain_db < 0 and not _is_even(leak.own)) or (mixed and _is_even(leak.own))
    ]


def is_mix(source: Sequence[Voice], other: Sequence[Voice], find: Find, find_back: Find) -> bool:
    """Whether the other channel holds both people: all that `source` says as loud and at the same time, and more.

    Args:
        source: The voices of a channel.
        other: Those of the other channel.
        find: Looks for an utterance of the source in the other channel.
        find_back: Looks for an utterance of the other channel in the source.
    """
    return _even_share(source, other, find) >= MOST and _even_share(other, source, find_back) < MOST


def _even_share(source: Sequence[Voice], other: Sequence[Voice], find: Find) -> float:
    """How much of what is said in a channel is in the other one as loud and at the same time."""
    even_ns = sum(leak.end_ns - leak.start_ns for leak in _found_again(source, other, find) if _is_even(leak.own))
    all_ns = sum((said.end_ns or said.onset_ns) - said.onset_ns for said in _utterances(source))
    return even_ns / all_ns if all_ns else 0.0


def _is_even(own: Echo) -> bool:
    return abs(own.gain_db) <= EVEN_DB and own.delay_ms <= AT_ONCE_MS


def _found_again(source: Sequence[Voice], other: Sequence[Voice], find: Find) -> list[Leak]:
    found = []
    for said in _utterances(source):
        end_ns = said.end_ns or said.onset_ns
        if setting_in(other, said.onset_ns - EDGE_NS, end_ns):
            own = find(said)
            if own is not None:
                found.append(Leak(said.onset_ns, end_ns, own))
    return found


def without_leaks(voices: Sequence[Voice], found: Sequence[Leak], *, known_until_ns: int) -> list[Voice]:
    """The voices of a channel but for what has leaked into it."""
    left = list(voices)
    for leak in found:
        delay_ms = leak.own.delay_ms
        left = list(without_echo(left, leak.start_ns, leak.end_ns, delay_ms, known_until_ns=known_until_ns))
    return left


def _utterances(voices: Sequence[Voice]) -> list[Voice]:
    """The voices, with pauses under 500 ms within them."""
    joined: list[Voice] = []
    for voice in voices:
        if joined and voice.onset_ns - (joined[-1].end_ns or 0) < SILENCE_NS:
            joined[-1] = Voice(joined[-1].onset_ns, voice.end_ns)
        else:
            joined.append(Voice(voice.onset_ns, voice.end_ns))
    return joined
