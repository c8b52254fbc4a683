"""Finds crosstalk between the two channels of a recording, and removes it from the detected voices.

An echo of the caller in the agent's channel would count as an interruption in every turn, and an agent that bleeds into
the caller's channel would count as a barge-in. Both are found by cross-correlation (`find_echo` in `echo.py`), the
method that a live call uses for its own echo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.clock import NS_PER_MS
from harness.hearing.echo import Echo, without_echo
from harness.hearing.voice import SILENCE_NS, Voice, setting_in

EVEN_DB = 1.0  # a smaller level difference does not tell which channel the sound came from
AT_ONCE_MS = 5.0
MOST = 0.8
EDGE_NS = 50 * NS_PER_MS  # an onset may be detected this much earlier in the other channel

Find = Callable[[Voice], Echo | None]


@dataclass(frozen=True, slots=True)
class Leak:
    """An utterance from `start_ns` to `end_ns` that is also audible in the other channel."""

    start_ns: int
    end_ns: int
    own: Echo


def leaks(source: Sequence[Voice], other: Sequence[Voice], find: Find, *, mixed: bool = False) -> list[Leak]:
    """The utterances of `source` that leak into the other channel.

    A match that is louder in the other channel than in `source` is not a leak. One that is equally loud is a leak only
    if the other channel is a mix.

    Args:
        source: The voices of one channel; all have ended.
        other: The voices of the other channel; all have ended.
        find: Looks for an utterance of the source in the other channel. Called only where a voice starts there during
            the utterance.
        mixed: Whether the other channel is a mix of both people.
    """
    found = _found_again(source, other, find)
    return [
        leak for leak in found if (leak.own.gain_db < 0 and not _is_even(leak.own)) or (mixed and _is_even(leak.own))
    ]


def is_mix(source: Sequence[Voice], other: Sequence[Voice], find: Find, find_back: Find) -> bool:
    """Whether the other channel is a mix: it holds what `source` says, equally loud and at the same time, and more.

    Args:
        source: The voices of a channel.
        other: Those of the other channel.
        find: Looks for an utterance of the source in the other channel.
        find_back: Looks for an utterance of the other channel in the source.
    """
    return _even_share(source, other, find) >= MOST and _even_share(other, source, find_back) < MOST


def _even_share(source: Sequence[Voice], other: Sequence[Voice], find: Find) -> float:
    """The share, by duration, of a channel's utterances that are in the other channel equally loud and simultaneous."""
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
    """The voices of a channel without those that leaked into it."""
    left = list(voices)
    for leak in found:
        delay_ms = leak.own.delay_ms
        left = list(without_echo(left, leak.start_ns, leak.end_ns, delay_ms, known_until_ns=known_until_ns))
    return left


def _utterances(voices: Sequence[Voice]) -> list[Voice]:
    """The voices, joined across pauses shorter than 500 ms."""
    joined: list[Voice] = []
    for voice in voices:
        if joined and voice.onset_ns - (joined[-1].end_ns or 0) < SILENCE_NS:
            joined[-1] = Voice(joined[-1].onset_ns, voice.end_ns)
        else:
            joined.append(Voice(voice.onset_ns, voice.end_ns))
    return joined
