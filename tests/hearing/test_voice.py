"""Who spoke when, and what it was: reply, interruption, the old reply going on, a stop."""

from __future__ import annotations

import pytest

from harness.hearing.voice import (
    ReplyStart,
    reply_to_barge_in,
    reply_to_speech,
    reply_to_text,
    speaks_at,
    stop_after,
    talking_since,
)
from tests.measure.timelines import ns, voices

Spans = list[tuple[float, float | None]]


@pytest.mark.parametrize(
    ("spans", "onset", "interrupted", "went_on"),
    [
        # The caller speaks from 10,000 to 12,000 ms.
        ([], None, False, False),
        ([(1000, 2000)], None, False, False),
        ([(1000, 2000), (12_800, 14_000)], 12_800, False, False),
        ([(12_000, 14_000)], 12_000, False, False),
        # It sets in while the caller speaks, with nothing before: an interruption, no reply.
        ([(11_000, 14_000)], None, True, False),
        ([(10_500, 11_500), (12_800, 14_000)], None, True, False),
        ([(11_990, 12_400), (12_800, 14_000)], None, True, False),
        # Under 1 s and over before the caller's end: a backchannel, the reply is yet to come.
        ([(10_501, 11_500), (12_800, 14_000)], 12_800, False, False),
        ([(10_100, 10_400), (11_000, 11_500), (12_800, 14_000)], 12_800, False, False),
        # Stretches under 500 ms apart are one speech: too long, or going on beyond the caller's end.
        ([(10_100, 10_600), (10_900, 11_300), (12_800, 14_000)], None, True, False),
        ([(11_500, 11_800), (12_200, 14_000)], None, True, False),
        ([(10_100, 10_400), (10_900, None)], None, True, False),
        # Within 3 s of the old reply's end it is that reply going on; the first onset after it is the reply.
        ([(5000, 8500), (11_000, 11_800), (13_000, 15_000)], 13_000, False, True),
        ([(5000, 7999), (11_000, 12_000), (13_000, 15_000)], None, True, False),
        ([(5000, 8500), (11_000, 15_000)], None, False, True),
        # The old reply still lasts when the caller begins, and after a breath under 500 ms goes on beyond its end.
        ([(5000, 11_000), (13_000, 15_000)], 13_000, False, True),
        ([(5000, 11_900), (12_200, 13_000), (14_000, 15_000)], 14_000, False, True),
        ([(5000, None)], None, False, True),
    ],
)
def test_a_reply_to_speech(spans: Spans, onset: float | None, interrupted: bool, went_on: bool) -> None:
    reply = reply_to_speech(voices(*spans), ns(10_000), ns(12_000))
    assert reply.onset_ns == (None if onset is None else ns(onset))
    assert (reply.interrupted, reply.went_on) == (interrupted, went_on)


def test_an_interruption_lasts_until_its_own_end_or_the_voice_after_the_callers() -> None:
    def until(*spans: tuple[float, float | None]) -> int | None:
        return reply_to_speech(voices(*spans), ns(10_000), ns(12_000)).interrupted_until_ns

    assert until((10_200, 11_500)) == ns(11_500)
    assert until((11_000, None)) is None
    assert until((10_200, 11_500), (12_800, 14_000)) == ns(14_000), "else the script would wait for it in vain"


@pytest.mark.parametrize(
    ("spans", "onset"),
    [
        # The text leaves at 10,000 ms.
        ([], None),
        ([(1000, 2000), (10_700, 12_000)], 10_700),
        ([(8000, 10_500), (10_900, 12_000), (12_600, 13_000)], 12_600),
        ([(8000, 11_000), (11_500, 12_000)], 11_500),
        ([(8000, 11_000), (11_499, 12_000)], None),
        ([(8000, None)], None),
        # In a pause under 500 ms the agent still speaks.
        ([(8000, 9800), (10_100, 11_000), (11_600, 12_000)], 11_600),
    ],
)
def test_a_reply_to_a_text_comes_after_500_ms_of_silence_where_the_agent_still_spoke(
    spans: Spans, onset: float | None
) -> None:
    assert reply_to_text(voices(*spans), ns(10_000)).onset_ns == (None if onset is None else ns(onset))


@pytest.mark.parametrize(
    ("spans", "speaks"),
    [
        ([], False),
        ([(9000, 11_000)], True),
        ([(9000, None)], True),
        ([(10_001, 11_000)], False),
        ([(9000, 9900)], False),
        ([(9000, 9900), (10_399, 11_000)], True),
        ([(9000, 9900), (10_400, 11_000)], False),
    ],
)
def test_a_pause_under_500_ms_belongs_to_speech(spans: Spans, speaks: bool) -> None:
    assert speaks_at(voices(*spans), ns(10_000)) is speaks


@pytest.mark.parametrize(
    ("spans", "known_until", "stop"),
    [
        # The caller's voice sets in at 10,000 ms.
        ([(8000, 10_800)], 12_000, 10_800),
        ([(8000, 10_800)], 11_299, None),
        ([(8000, None)], 12_000, None),
        ([(8000, 10_300), (10_700, 11_500)], 13_000, 11_500),
        ([(8000, 10_300), (10_800, 11_500)], 13_000, 10_300),
        ([(8000, 9900), (10_300, 10_600)], 13_000, 10_600),
        ([(2000, 3000), (8000, 10_300)], 13_000, 10_300),
    ],
)
def test_silent_is_the_start_of_the_first_500_ms_without_voice(
    spans: Spans, known_until: float, stop: float | None
) -> None:
    found = stop_after(voices(*spans), ns(10_000), known_until_ns=ns(known_until))
    assert found == (None if stop is None else ns(stop))


def test_the_reply_to_a_barge_in_is_the_first_onset_after_the_stop() -> None:
    heard = voices((8000, 10_800), (12_900, 14_000))
    assert reply_to_barge_in(heard, ns(10_800), ns(12_000)) == ReplyStart(ns(12_900))
    assert reply_to_barge_in(voices((8000, 10_800)), ns(10_800), ns(12_000)) == ReplyStart()
    assert reply_to_barge_in(voices((8000, 10_800), (11_500, 14_000)), ns(10_800), ns(12_000)).interrupted


def test_a_backchannel_after_the_stop_of_a_barge_in_is_no_reply() -> None:
    heard = voices((8000, 10_300), (10_900, 11_400), (12_900, 14_000))
    assert reply_to_barge_in(heard, ns(10_300), ns(12_000)) == ReplyStart(ns(12_900), backchannels=1)


def test_a_backchannel_of_two_stretches_counts_once() -> None:
    def count(*spans: tuple[float, float | None]) -> int:
        return reply_to_speech(voices(*spans), ns(10_000), ns(12_000)).backchannels

    assert count((10_100, 10_300), (10_600, 10_800)) == 1
    assert count((10_100, 10_300), (10_800, 11_000)) == 2


def test_talk_without_end_is_told_from_talk_with_pauses() -> None:
    def since(*spans: tuple[float, float | None]) -> int | None:
        return talking_since(voices(*spans), gap_ns=1_500_000_000, known_until_ns=ns(70_000))

    assert since((1000, 30_000), (31_000, None)) == ns(1000)
    assert since((1000, 30_000), (31_500, None)) == ns(31_500)
    assert since((1000, 69_000)) == ns(1000)
    assert since((1000, 68_500)) is None
    assert since() is None


# The old reply ends at 8,500; the caller speaks from 10,000 to 12,000 ms.
OLD = (6000, 8500)


def test_what_the_agent_writes_tells_an_interruption_from_the_old_reply_going_on() -> None:
    heard = voices(OLD, (10_800, 13_500))
    written = reply_to_speech(heard, ns(10_000), ns(12_000), replies_ns=[ns(5900), ns(10_700)])
    assert (written.interrupted, written.went_on, written.unsure) == (True, False, False)
    same = reply_to_speech(heard, ns(10_000), ns(12_000), replies_ns=[ns(5900)])
    assert (same.interrupted, same.went_on, same.unsure) == (False, True, False)


def test_of_an_agent_that_writes_nothing_it_is_not_known() -> None:
    reply = reply_to_speech(voices(OLD, (10_800, 11_200), (13_000, 14_000)), ns(10_000), ns(12_000))
    assert (reply.went_on, reply.unsure, reply.onset_ns) == (True, True, ns(13_000))


def test_an_answer_that_cuts_in_just_before_the_callers_end_is_no_reply_that_goes_on() -> None:
    reply = reply_to_speech(voices(OLD, (11_950, 15_000)), ns(10_000), ns(12_000))
    assert (reply.interrupted, reply.went_on, reply.interrupted_until_ns) == (True, False, ns(15_000))
