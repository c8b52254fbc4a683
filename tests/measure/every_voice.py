"""What `harness.measure` tells of voices, texts and late packets, told by looking at all of them each time.

Slow and plain: what is looked up in a call of any length must be the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from harness.clock import NS_PER_MS, NS_PER_S
from harness.hearing.echo import FADE_NS
from harness.hearing.voice import BACKCHANNEL_NS, CUTS_IN_NS, GOES_ON_NS, SILENCE_NS, ReplyStart, Voice
from harness.timeline.events import Event, TextCame
from harness.timeline.spans import TurnSpan

E = TypeVar("E", bound=Event)


def speaks_at(voices: Sequence[Voice], t_ns: int) -> bool:
    before = [voice for voice in voices if voice.onset_ns <= t_ns]
    if not before:
        return False
    end_ns = before[-1].end_ns
    if end_ns is None or end_ns > t_ns:
        return True
    after = next((voice for voice in voices if voice.onset_ns > t_ns), None)
    return after is not None and after.onset_ns - end_ns < SILENCE_NS


def stop_after(voices: Sequence[Voice], t_ns: int, *, known_until_ns: int) -> int | None:
    following = [voice.onset_ns for voice in voices[1:]] + [known_until_ns]
    for voice, quiet_until_ns in zip(voices, following, strict=False):
        if voice.end_ns is None:
            return None
        if quiet_until_ns > t_ns and quiet_until_ns - voice.end_ns >= SILENCE_NS:
            return voice.end_ns
    return None


def talking_since(voices: Sequence[Voice], *, gap_ns: int, known_until_ns: int) -> int | None:
    since: int | None = None
    end_ns: int | None = None
    for voice in voices:
        if since is None or (end_ns is not None and voice.onset_ns - end_ns >= gap_ns):
            since = voice.onset_ns
        end_ns = voice.end_ns
    if since is not None and end_ns is not None and known_until_ns - end_ns >= gap_ns:
        return None
    return since


def is_backchannel(voices: Sequence[Voice], end_ns: int) -> bool:
    last = voices[0]
    for voice in voices[1:]:
        if last.end_ns is None or voice.onset_ns - last.end_ns >= SILENCE_NS:
            break
        last = voice
    return last.end_ns is not None and last.end_ns < end_ns and last.end_ns - voices[0].onset_ns < BACKCHANNEL_NS


def reply_to_speech(voices: Sequence[Voice], start_ns: int, end_ns: int) -> ReplyStart:
    old_end_ns: int | None = None
    old_open = False
    interrupted = went_on = unsure = False
    until_ns: int | None = None
    backchannels, backchannel_end_ns = 0, 0
    for index, voice in enumerate(voices):
        if voice.onset_ns < start_ns:
            old_end_ns = voice.end_ns
            old_open = voice.end_ns is None or voice.end_ns > start_ns
            went_on = went_on or old_open
        elif voice.onset_ns < end_ns:
            follows = old_open or (old_end_ns is not None and voice.onset_ns - old_end_ns < GOES_ON_NS)
            if follows and voice.onset_ns <= end_ns - CUTS_IN_NS:
                went_on, old_open, old_end_ns, unsure = True, True, voice.end_ns, True
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
            return ReplyStart(voice.onset_ns, went_on=went_on, backchannels=backchannels, unsure=unsure)
    return ReplyStart(
        interrupted=interrupted,
        went_on=went_on,
        interrupted_until_ns=until_ns,
        backchannels=backchannels,
        unsure=unsure,
    )


def reply_to_text(voices: Sequence[Voice], sent_ns: int) -> ReplyStart:
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
    return reply_to_speech([voice for voice in voices if voice.onset_ns > stop_ns], stop_ns, end_ns)


def talk_over_ns(voices: Sequence[Voice], start_ns: int, end_ns: int, *, known_until_ns: int) -> int:
    return sum(
        max(0, min(known_until_ns if voice.end_ns is None else voice.end_ns, end_ns) - max(voice.onset_ns, start_ns))
        for voice in voices
    )


def dead_air_ns(voices: Sequence[Voice], end_ns: int, turn_end_ns: int) -> int | None:
    quiet_from_ns = end_ns
    longest_ns: int | None = None
    for voice in voices:
        if voice.onset_ns > turn_end_ns:
            break
        voice_end_ns = turn_end_ns if voice.end_ns is None else voice.end_ns
        if voice_end_ns <= end_ns:
            continue
        longest_ns = max(longest_ns or 0, voice.onset_ns - quiet_from_ns)
        quiet_from_ns = max(quiet_from_ns, voice_end_ns)
    return longest_ns


def without_echo(
    voices: Sequence[Voice], start_ns: int, end_ns: int, delay_ms: float, *, known_until_ns: int
) -> list[Voice]:
    gone_ns = end_ns + round(delay_ms * NS_PER_MS) + FADE_NS

    def is_echo(voice: Voice) -> bool:
        ends_ns = known_until_ns if voice.end_ns is None else voice.end_ns
        return voice.onset_ns >= start_ns and voice.onset_ns < gone_ns and ends_ns <= gone_ns

    return [voice for voice in voices if not is_echo(voice)]


def owners_of(turns: Sequence[TurnSpan], texts: Sequence[TextCame]) -> list[tuple[str, int | None]]:
    """Of each text its role and its turn's index: -1 is the greeting, None is no turn."""
    echoed: set[int] = set()
    owners: list[tuple[str, int | None]] = []
    for event in texts:
        t_ns = event.t_ns
        latest = max((index for index, turn in enumerate(turns) if turn.started_ns <= t_ns), default=-1)
        owner: int | None
        if event.role == "reply":
            end_ns = turns[latest].caller_end_ns if latest >= 0 else None
            owner = latest if latest < 0 or (end_ns is not None and end_ns <= t_ns) else latest - 1
        elif event.role == "transcript":
            begun = (index for index in range(latest + 1) if turns[index].kind != "type")
            spoken = [
                index for index in begun if turns[index].caller_start_ns is not None or turns[index].kind == "say"
            ]
            owner = max((index for index in spoken if (turns[index].caller_start_ns or 0) <= t_ns), default=None)
        else:
            same = (
                index
                for index in range(latest + 1)
                if turns[index].kind == "type" and turns[index].text.strip() == event.text and index not in echoed
            )
            owner = next(same, None)
            if owner is not None:
                echoed.add(owner)
        owners.append((event.role, owner))
    return owners


def within(events: Sequence[E], start_ns: int, end_ns: int) -> list[E]:
    return [event for event in events if start_ns <= event.t_ns <= end_ns]


def touching(seconds: Sequence[E], start_ns: int, end_ns: int) -> list[E]:
    return within(seconds, start_ns, end_ns + NS_PER_S)
