"""Stretches of voice, and what they say of who spoke when. All times are monotonic nanoseconds on the wire.

The voices of a call are in the order of their onsets and do not overlap; only the last may still last. So what is asked
of a time begins at the last voice before it: it costs the same however old the call is.

A stretch ends after 200 ms without voice (`onset.HANG_FRAMES`). Longer pauses are told apart by use: 500 ms without
voice is silence, `end_silence` ends a turn.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.clock import NS_PER_MS, NS_PER_S

SILENCE_NS = 500 * NS_PER_MS
BACKCHANNEL_NS = 1 * NS_PER_S  # an agent's "mm-hmm" within the caller's speech is shorter; what is longer interrupts
GOES_ON_NS = 3 * NS_PER_S  # an agent's voice so soon after its reply may be that reply going on
CUTS_IN_NS = 500 * NS_PER_MS  # one so shortly before the caller's end is an answer to it that came too early
WITH_VOICE_NS = 1 * NS_PER_S  # a reply's text comes with its voice, before it or so soon after it
FALSE_STOP_NS = 1 * NS_PER_S  # an agent that falls silent within this of a cough's end has stopped for it


@dataclass(slots=True)
class Voice:
    """One stretch of voice; `end_ns` is None while it lasts."""

    onset_ns: int
    end_ns: int | None = None

    def lasts_at(self, t_ns: int) -> bool:
        """Whether it covers the time."""
        return self.onset_ns <= t_ns and (self.end_ns is None or self.end_ns > t_ns)


def _onset_ns(voice: Voice) -> int:
    return voice.onset_ns


def count_before(voices: Sequence[Voice], t_ns: int) -> int:
    """How many voices set in before a time: the index of the first that sets in then or later."""
    return bisect_left(voices, t_ns, key=_onset_ns)


def last_before(voices: Sequence[Voice], t_ns: int) -> int:
    """The index of the last voice that sets in before a time; 0 where none does."""
    return max(0, count_before(voices, t_ns) - 1)


def setting_in(voices: Sequence[Voice], from_ns: int, to_ns: int) -> range:
    """The indices of the voices that set in from a time on and before another."""
    return range(count_before(voices, from_ns), count_before(voices, to_ns))


def end_voice(voices: list[Voice], end_ns: int, began_ns: int | None) -> None:
    """Ends the last voice, which began then as it is known now; None where it was noise: then there was no voice."""
    if began_ns is None:
        voices.pop()
        return
    voices[-1].onset_ns = began_ns
    voices[-1].end_ns = max(end_ns, began_ns)


def speaks_at(voices: Sequence[Voice], t_ns: int) -> bool:
    """Whether the agent speaks at a time; a pause shorter than 500 ms belongs to its speech."""
    after = bisect_right(voices, t_ns, key=_onset_ns)
    if not after:
        return False
    end_ns = voices[after - 1].end_ns
    if end_ns is None or end_ns > t_ns:
        return True
    return after < len(voices) and voices[after].onset_ns - end_ns < SILENCE_NS


def stop_after(voices: Sequence[Voice], t_ns: int, *, known_until_ns: int) -> int | None:
    """When an agent that speaks at `t_ns` fell silent: the start of the first 500 ms or more without voice.

    None while that is not known. An agent that is silent at `t_ns` stopped at the end of its last voice.
    """
    for index in range(last_before(voices, t_ns + 1), len(voices)):
        end_ns = voices[index].end_ns
        if end_ns is None:
            return None
        quiet_until_ns = voices[index + 1].onset_ns if index + 1 < len(voices) else known_until_ns
        if quiet_until_ns > t_ns and quiet_until_ns - end_ns >= SILENCE_NS:
            return end_ns
    return None


def talking_since(voices: Sequence[Voice], *, gap_ns: int, known_until_ns: int) -> int | None:
    """The onset of the speech that goes on at `known_until_ns`, pauses shorter than `gap_ns` within it."""
    if not voices:
        return None
    last_end_ns = voices[-1].end_ns
    if last_end_ns is not None and known_until_ns - last_end_ns >= gap_ns:
        return None
    since_ns = voices[-1].onset_ns
    for index in range(len(voices) - 2, -1, -1):
        end_ns = voices[index].end_ns
        if end_ns is not None and since_ns - end_ns >= gap_ns:
            break
        since_ns = voices[index].onset_ns
    return since_ns


@dataclass(frozen=True, slots=True)
class ReplyStart:
    """Where a turn's reply begins. `onset_ns` is None where there is none (yet), or the agent interrupted.

    `interrupted_until_ns` is the end of the interrupting voice, or of the first one after the caller's; None: it lasts.
    `backchannels` counts what the agent put in while the caller spoke, which neither interrupts nor answers. `unsure`:
    a voice that set in while the caller spoke may have been the old reply going on, or an interruption.
    """

    onset_ns: int | None = None
    interrupted: bool = False
    went_on: bool = False
    interrupted_until_ns: int | None = None
    backchannels: int = 0
    unsure: bool = False


def is_backchannel(voices: Sequence[Voice], first: int, end_ns: int) -> bool:
    """Whether the speech that begins with the voice at index `first` is under 1 s and over before the caller's end.

    Stretches with pauses under 500 ms are one speech; one that goes on beyond the caller's end is no backchannel.
    """
    onset_ns = voices[first].onset_ns
    for index in range(first, len(voices)):
        last_ns = voices[index].end_ns
        if last_ns is None or last_ns >= end_ns or last_ns - onset_ns >= BACKCHANNEL_NS:
            return False
        if index + 1 < len(voices) and voices[index + 1].onset_ns - last_ns >= SILENCE_NS:
            break
    return True


def reply_to_speech(
    voices: Sequence[Voice], start_ns: int, end_ns: int, *, replies_ns: Sequence[int] = ()
) -> ReplyStart:
    """The reply to what the caller said from `start_ns` to `end_ns`.

    A voice that sets in meanwhile interrupts, unless it is a backchannel, or the old reply going on. It is that where
    it follows the old reply within 3 s, or still overlaps it, and the agent has written nothing new; of an agent that
    writes nothing that cannot be told, unless it cuts in just before the caller's end.

    Args:
        voices: The agent's.
        start_ns: The caller's voiced start.
        end_ns: And end.
        replies_ns: When the agent wrote replies in this call; empty where it writes none.
    """
    return _reply_from(voices, last_before(voices, start_ns), start_ns, end_ns, replies_ns)


def _reply_from(
    voices: Sequence[Voice], first: int, start_ns: int, end_ns: int, replies_ns: Sequence[int]
) -> ReplyStart:
    """See `reply_to_speech`; what was before the voice at index `first` does not count."""
    old_end_ns: int | None = None
    old_open = False
    interrupted = went_on = unsure = False
    until_ns: int | None = None
    backchannels, backchannel_end_ns = 0, 0
    for index in range(first, len(voices)):
        voice = voices[index]
        if voice.onset_ns < start_ns:
            old_end_ns = voice.end_ns
            old_open = voice.end_ns is None or voice.end_ns > start_ns
            went_on = went_on or old_open
        elif voice.onset_ns < end_ns:
            follows = old_open or (old_end_ns is not None and voice.onset_ns - old_end_ns < GOES_ON_NS)
            if follows and not _is_new(voice.onset_ns, start_ns, end_ns, replies_ns):
                went_on, old_open, old_end_ns = True, True, voice.end_ns
                unsure = unsure or not replies_ns or _is_written_late(voice, replies_ns)
            elif not interrupted and is_backchannel(voices, index, end_ns):
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
            return ReplyStart(voice.onset_ns, went_on=went_on, backchannels=backchannels, unsure=unsure)
    return ReplyStart(
        interrupted=interrupted,
        went_on=went_on,
        interrupted_until_ns=until_ns,
        backchannels=backchannels,
        unsure=unsure,
    )


def _is_new(onset_ns: int, start_ns: int, end_ns: int, replies_ns: Sequence[int]) -> bool:
    """Whether a voice that set in while the caller spoke answers what was being said."""
    if not replies_ns:
        return onset_ns > end_ns - CUTS_IN_NS
    return bisect_left(replies_ns, start_ns) < bisect_right(replies_ns, onset_ns + WITH_VOICE_NS)


def _is_written_late(voice: Voice, replies_ns: Sequence[int]) -> bool:
    """Whether a reply was written while the voice lasted or just after it, so that it may be that voice's."""
    if voice.end_ns is None:
        return False
    with_it = bisect_right(replies_ns, voice.onset_ns + WITH_VOICE_NS)
    return with_it < bisect_right(replies_ns, voice.end_ns + WITH_VOICE_NS)


def reply_to_text(voices: Sequence[Voice], sent_ns: int) -> ReplyStart:
    """The reply to a typed text: the first onset after it, and after 500 ms of silence where the agent still spoke."""
    still = False
    end_ns: int | None = None
    for index in range(last_before(voices, sent_ns), len(voices)):
        voice = voices[index]
        if voice.onset_ns < sent_ns:
            end_ns = voice.end_ns
            still = voice.end_ns is None or sent_ns - voice.end_ns < SILENCE_NS
        elif still and (end_ns is None or voice.onset_ns - end_ns < SILENCE_NS):
            end_ns = voice.end_ns
        else:
            return ReplyStart(voice.onset_ns, went_on=still)
    return ReplyStart(went_on=still)


def reply_to_barge_in(
    voices: Sequence[Voice], stop_ns: int, end_ns: int, *, replies_ns: Sequence[int] = ()
) -> ReplyStart:
    """The reply after an agent that was talked over stopped at `stop_ns`; the caller's own voice ended at `end_ns`."""
    return _reply_from(voices, count_before(voices, stop_ns + 1), stop_ns, end_ns, replies_ns)
