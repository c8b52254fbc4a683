"""Stretches of voice, and the turn-taking rules based on them. All times are monotonic nanoseconds on the wire.

The voices of a call are sorted by onset and do not overlap; only the last may be in progress. So a query about a time
starts at the last voice before it, at a cost that does not grow with the length of the call.

A stretch ends after 200 ms without voice (`onset.HANG_FRAMES`). Longer pauses have their own meaning: 500 ms without
voice is silence, `end_silence` ends a turn.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.clock import NS_PER_MS, NS_PER_S

SILENCE_NS = 500 * NS_PER_MS
BACKCHANNEL_NS = 1 * NS_PER_S  # an agent's "mm-hmm" during the caller's speech is shorter; anything longer interrupts
GOES_ON_NS = 3 * NS_PER_S  # an agent's voice this soon after its reply may be the same reply, continued
CUTS_IN_NS = 500 * NS_PER_MS  # an onset this shortly before the caller's end is a reply that came too early
WITH_VOICE_NS = 1 * NS_PER_S  # a reply's text arrives before its voice or at most this long after its onset
FALSE_STOP_NS = 1 * NS_PER_S  # an agent that falls silent this soon after a cough's end stopped because of it


@dataclass(slots=True)
class Voice:
    """One stretch of voice; `end_ns` is None while it is in progress."""

    onset_ns: int
    end_ns: int | None = None

    def lasts_at(self, t_ns: int) -> bool:
        """Whether the voice is active at `t_ns`."""
        return self.onset_ns <= t_ns and (self.end_ns is None or self.end_ns > t_ns)


def _onset_ns(voice: Voice) -> int:
    return voice.onset_ns


def count_before(voices: Sequence[Voice], t_ns: int) -> int:
    """How many voices start before `t_ns`, which is also the index of the first that starts at or after it."""
    return bisect_left(voices, t_ns, key=_onset_ns)


def last_before(voices: Sequence[Voice], t_ns: int) -> int:
    """The index of the last voice that starts before `t_ns`; 0 if none does."""
    return max(0, count_before(voices, t_ns) - 1)


def setting_in(voices: Sequence[Voice], from_ns: int, to_ns: int) -> range:
    """The indices of the voices whose onset is in `[from_ns, to_ns)`."""
    return range(count_before(voices, from_ns), count_before(voices, to_ns))


def end_voice(voices: list[Voice], end_ns: int, began_ns: int | None) -> None:
    """Ends the last voice and corrects its onset to `began_ns`. If that is None it was noise, and it is removed."""
    if began_ns is None:
        voices.pop()
        return
    voices[-1].onset_ns = began_ns
    voices[-1].end_ns = max(end_ns, began_ns)


def speaks_at(voices: Sequence[Voice], t_ns: int) -> bool:
    """Whether the agent is speaking at `t_ns`; a pause shorter than 500 ms counts as speech."""
    after = bisect_right(voices, t_ns, key=_onset_ns)
    if not after:
        return False
    end_ns = voices[after - 1].end_ns
    if end_ns is None or end_ns > t_ns:
        return True
    return after < len(voices) and voices[after].onset_ns - end_ns < SILENCE_NS


def stop_after(voices: Sequence[Voice], t_ns: int, *, known_until_ns: int) -> int | None:
    """When an agent that speaks at `t_ns` stopped: the start of the first 500 ms or more without voice.

    None if that is not known yet. An agent that is silent at `t_ns` stopped at the end of its last voice.
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
    """The onset of the speech in progress at `known_until_ns`, across pauses shorter than `gap_ns`; None if silent."""
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
    """Where a turn's reply begins.

    Attributes:
        onset_ns: The reply's onset; None if there is none (yet), or the agent interrupted.
        interrupted: Whether the agent interrupted the caller.
        went_on: Whether the agent's previous reply went on into the caller's turn.
        interrupted_until_ns: The end of the interrupting voice, or of the first voice after the caller's; None while it
            is in progress.
        backchannels: How many backchannels the agent gave during the caller's speech; they neither interrupt nor reply.
        unsure: Whether a voice that started during the caller's speech may be the previous reply continued or an
            interruption.
    """

    onset_ns: int | None = None
    interrupted: bool = False
    went_on: bool = False
    interrupted_until_ns: int | None = None
    backchannels: int = 0
    unsure: bool = False


def is_backchannel(voices: Sequence[Voice], first: int, end_ns: int) -> bool:
    """Whether the speech starting at index `first` is shorter than 1 s and ends before the caller does, at `end_ns`.

    Voices separated by less than 500 ms are one speech.
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
    """Finds the reply to what the caller said from `start_ns` to `end_ns`.

    A voice that starts during the caller's speech is an interruption, unless it is a backchannel or the continuation of
    the previous reply. It is a continuation if it follows that reply within 3 s, or overlaps it, and the agent has
    written no new reply. For an agent that writes no text this is uncertain, except that a voice just before the
    caller's end is an early reply.

    Args:
        voices: The agent's voices.
        start_ns: The caller's voiced start.
        end_ns: The caller's voiced end.
        replies_ns: When the agent wrote replies in this call; empty if it writes none.
    """
    return _reply_from(voices, last_before(voices, start_ns), start_ns, end_ns, replies_ns)


def _reply_from(
    voices: Sequence[Voice], first: int, start_ns: int, end_ns: int, replies_ns: Sequence[int]
) -> ReplyStart:
    """Implements `reply_to_speech`, ignoring voices before index `first`."""
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
    """Whether a voice that started while the caller spoke answers what was being said."""
    if not replies_ns:
        return onset_ns > end_ns - CUTS_IN_NS
    return bisect_left(replies_ns, start_ns) < bisect_right(replies_ns, onset_ns + WITH_VOICE_NS)


def _is_written_late(voice: Voice, replies_ns: Sequence[int]) -> bool:
    """Whether a reply was written during the voice or just after it, and so may belong to it."""
    if voice.end_ns is None:
        return False
    with_it = bisect_right(replies_ns, voice.onset_ns + WITH_VOICE_NS)
    return with_it < bisect_right(replies_ns, voice.end_ns + WITH_VOICE_NS)


def reply_to_text(voices: Sequence[Voice], sent_ns: int) -> ReplyStart:
    """The reply to a typed text: the first onset after it, or after 500 ms of silence if the agent was speaking."""
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
    """The reply to a barge-in: the agent stopped at `stop_ns`, the caller's own voice ended at `end_ns`."""
    return _reply_from(voices, count_before(voices, stop_ns + 1), stop_ns, end_ns, replies_ns)
