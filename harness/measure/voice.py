"""Stretches of voice, and what they say of who spoke when. All times are monotonic nanoseconds on the wire.

A stretch ends after 200 ms without voice (`onset.HANG_FRAMES`). Longer pauses are told apart by use: 500 ms without
voice is silence, `end_silence` ends a turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.clock import NS_PER_MS, NS_PER_S

SILENCE_NS = 500 * NS_PER_MS
BACKCHANNEL_NS = 1 * NS_PER_S  # an agent's "mm-hmm" within the caller's speech is shorter; what is longer interrupts
GOES_ON_NS = 3 * NS_PER_S  # an agent's voice so soon after its reply is that reply going on
FALSE_STOP_NS = 1 * NS_PER_S  # an agent that falls silent within this of a cough's end has stopped for it


@dataclass(slots=True)
class Voice:
    """One stretch of voice; `end_ns` is None while it lasts."""

    onset_ns: int
    end_ns: int | None = None

    def lasts_at(self, t_ns: int) -> bool:
        """Whether it covers the time."""
        return self.onset_ns <= t_ns and (self.end_ns is None or self.end_ns > t_ns)


def end_voice(voices: list[Voice], end_ns: int, began_ns: int | None) -> None:
    """Ends the last voice, which began then as it is known now; None where it was noise: then there was no voice."""
    if began_ns is None:
        voices.pop()
        return
    voices[-1].onset_ns = began_ns
    voices[-1].end_ns = max(end_ns, began_ns)


def speaks_at(voices: Sequence[Voice], t_ns: int) -> bool:
    """Whether the agent speaks at a time; a pause shorter than 500 ms belongs to its speech."""
    before = [voice for voice in voices if voice.onset_ns <= t_ns]
    if not before:
        return False
    end_ns = before[-1].end_ns
    if end_ns is None or end_ns > t_ns:
        return True
    after = next((voice for voice in voices if voice.onset_ns > t_ns), None)
    return after is not None and after.onset_ns - end_ns < SILENCE_NS


def stop_after(voices: Sequence[Voice], t_ns: int, *, known_until_ns: int) -> int | None:
    """When an agent that speaks at `t_ns` fell silent: the start of the first 500 ms or more without voice.

    None while that is not known. An agent that is silent at `t_ns` stopped at the end of its last voice.
    """
    following = [voice.onset_ns for voice in voices[1:]] + [known_until_ns]
    for voice, quiet_until_ns in zip(voices, following, strict=False):
        if voice.end_ns is None:
            return None
        if quiet_until_ns > t_ns and quiet_until_ns - voice.end_ns >= SILENCE_NS:
            return voice.end_ns
    return None


def talking_since(voices: Sequence[Voice], *, gap_ns: int, known_until_ns: int) -> int | None:
    """The onset of the speech that goes on at `known_until_ns`, pauses shorter than `gap_ns` within it."""
    since: int | None = None
    end_ns: int | None = None
    for voice in voices:
        if since is None or (end_ns is not None and voice.onset_ns - end_ns >= gap_ns):
            since = voice.onset_ns
        end_ns = voice.end_ns
    if since is not None and end_ns is not None and known_until_ns - end_ns >= gap_ns:
        return None
    return since


@dataclass(frozen=True, slots=True)
class ReplyStart:
    """Where a turn's reply begins. `onset_ns` is None where there is none (yet), or the agent interrupted.

    `interrupted_until_ns` is the end of the interrupting voice, or of the first one after the caller's; None: it lasts.
    `backchannels` counts what the agent put in while the caller spoke, which neither interrupts nor answers.
    """

    onset_ns: int | None = None
    interrupted: bool = False
    went_on: bool = False
    interrupted_until_ns: int | None = None
    backchannels: int = 0


def is_backchannel(voices: Sequence[Voice], end_ns: int) -> bool:
    """Whether the speech that `voices` begin with is under 1 s and over before the caller's end at `end_ns`.

    Stretches with pauses under 500 ms are one speech; one that goes on beyond the caller's end is no backchannel.
    """
    last = voices[0]
    for voice in voices[1:]:
        if last.end_ns is None or voice.onset_ns - last.end_ns >= SILENCE_NS:
            break
        last = voice
    return last.end_ns is not None and last.end_ns < end_ns and last.end_ns - voices[0].onset_ns < BACKCHANNEL_NS


def reply_to_speech(voices: Sequence[Voice], start_ns: int, end_ns: int) -> ReplyStart:
    """The reply to what the caller said from `start_ns` to `end_ns`.

    A voice that sets in meanwhile interrupts, unless it follows the old reply within 3 s: then that reply goes on; or
    unless it is a backchannel.
    """
    old_end_ns: int | None = None
    old_open = False
    interrupted = went_on = False
    until_ns: int | None = None
    backchannels, backchannel_end_ns = 0, 0
    for index, voice in enumerate(voices):
        if voice.onset_ns < start_ns:
            old_end_ns = voice.end_ns
            old_open = voice.end_ns is None or voice.end_ns > start_ns
            went_on = went_on or old_open
        elif voice.onset_ns < end_ns:
            if old_open or (old_end_ns is not None and voice.onset_ns - old_end_ns < GOES_ON_NS):
                went_on, old_open, old_end_ns = True, True, voice.end_ns
            elif not interrupted and is_backchannel(voices[index:], end_ns):
                backchannels += voice.onset_ns - backchannel_end_ns >= SILENCE_NS
                backchannel_end_ns = voice.end_ns or end_ns
            else:
                interrupted, until_ns = True, voice.end_ns
        elif old_open and old_end_ns is not None and voice.onset_ns - old_end_ns < SILENCE_NS:
            old_end_ns = voice.end_ns
        elif interrupted:
            until_ns = voice.end_ns
            break
        else:
            return ReplyStart(voice.onset_ns, went_on=went_on, backchannels=backchannels)
    return ReplyStart(
        interrupted=interrupted, went_on=went_on, interrupted_until_ns=until_ns, backchannels=backchannels
    )


def reply_to_text(voices: Sequence[Voice], sent_ns: int) -> ReplyStart:
    """The reply to a typed text: the first onset after it, and after 500 ms of silence where the agent still spoke."""
    still = False
    end_ns: int | None = None
    for voice in voices:
        if voice.onset_ns < sent_ns:
            end_ns = voice.end_ns
            still = voice.end_ns is None or sent_ns - voice.end_ns < SILENCE_NS
        elif still and (end_ns is None or voice.onset_ns - end_ns < SILENCE_NS):
            end_ns = voice.end_ns
        else:
            return ReplyStart(voice.onset_ns, went_on=still)
    return ReplyStart(went_on=still)


def reply_to_barge_in(voices: Sequence[Voice], stop_ns: int, end_ns: int) -> ReplyStart:
    """The reply after an agent that was talked over stopped at `stop_ns`; the caller's own voice ended at `end_ns`."""
    return reply_to_speech([voice for voice in voices if voice.onset_ns > stop_ns], stop_ns, end_ns)
