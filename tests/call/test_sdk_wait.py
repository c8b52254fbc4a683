"""The jitter buffer's wait, finer than the statistics count it: from ticks, counted waits and packets' arrivals."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import numpy as np
import pytest

from harness.call.engines.sdk_stats import LevelJump
from harness.call.engines.sdk_wait import (
    PACKET_MS,
    TICK_LATE_MS,
    TICK_MS,
    Discards,
    JitterBufferWait,
    Reading,
    left_over_ms,
)

TICK_NS = 777_000_000


def counted(wait_ms: float, early_ms: float) -> float:
    """As WebRTC counts: the ticks between a packet's arrival and its being taken at a tick."""
    return TICK_MS * math.ceil(round((wait_ms + early_ms) / TICK_MS, 6))


def reading(
    counted_ms: float | None, last_packet_ns: int | None = None, *, age_ms: float = 0.0, waiting: int = 0
) -> Reading:
    """A reading that bounds nothing unless told what lies in the buffer."""
    if not waiting:
        return Reading(counted_ms, 5, last_packet_ns, age_ms=1e6, waiting=0, flowing=False)
    return Reading(counted_ms, 5, last_packet_ns, age_ms=age_ms, waiting=waiting, flowing=True)


def told(
    wait: JitterBufferWait, *, taken_after_ticks: int, early_ms: float, jitter_ms: float, readings: int
) -> Iterator[float]:
    """The answers to readings of five packets each, which come `early_ms` after a tick, give or take the jitter."""
    rng = random.Random(3)
    for number in range(readings):
        places = [early_ms + rng.uniform(-jitter_ms, jitter_ms) for _ in range(5)]
        waits = [counted(taken_after_ticks * TICK_MS - place, place % TICK_MS) for place in places]
        last_ns = TICK_NS + round((number * 5 * PACKET_MS + places[-1] - TICK_LATE_MS) * 1e6)
        wait.read(reading(sum(waits) / len(waits), last_ns), TICK_NS)
        assert wait.wait_ms is not None
        yield wait.wait_ms


@pytest.mark.parametrize("early_ms", [1.0, 2.5, 5.0, 7.5, 9.0])
@pytest.mark.parametrize("ticks", [1, 3, 9])
def test_the_place_between_two_ticks_is_taken_off(early_ms: float, ticks: int) -> None:
    *_, answer = told(JitterBufferWait(), taken_after_ticks=ticks, early_ms=early_ms, jitter_ms=0.4, readings=9)
    assert answer == pytest.approx(ticks * TICK_MS - early_ms, abs=0.5)


def test_packets_close_to_a_tick_do_not_make_it_jump() -> None:
    answers = list(told(JitterBufferWait(), taken_after_ticks=3, early_ms=0.1, jitter_ms=0.8, readings=40))
    assert max(answers[2:]) - min(answers[2:]) < 1.5, "though each is counted as 20, 30 or 40 ms"
    assert np.median(answers) == pytest.approx(29.9, abs=0.6)


def test_a_buffer_that_grows_is_followed_at_once() -> None:
    wait = JitterBufferWait()
    list(told(wait, taken_after_ticks=3, early_ms=4.0, jitter_ms=0.3, readings=9))
    first, *_ = told(wait, taken_after_ticks=8, early_ms=4.0, jitter_ms=0.3, readings=1)
    assert first == pytest.approx(76.0, abs=0.5)


def test_without_a_place_half_a_tick_is_the_best_guess() -> None:
    wait = JitterBufferWait()
    assert wait.wait_ms is None
    wait.read(reading(30.0), None)
    assert wait.wait_ms == 25.0


def test_places_all_over_the_tick_tell_nothing() -> None:
    wait = JitterBufferWait()
    for place in range(9):
        wait.read(reading(None, TICK_NS + place * 1_111_111), TICK_NS)
    wait.read(reading(30.0), TICK_NS)
    assert wait.wait_ms == 25.0


@pytest.mark.parametrize("thrown", [0, 3])
@pytest.mark.parametrize("wait_ms", [19.9, 29.9])
def test_what_lies_in_the_buffer_decides_between_two_ticks(wait_ms: float, thrown: int) -> None:
    """Packets come so close to a tick that a count of 30 ms stands for 19.9 as well as for 29.9."""
    wait = JitterBufferWait()
    last_ns = TICK_NS + round((0.1 - TICK_LATE_MS) * 1e6)
    for age_ms in (3.0, 11.0, 17.0) * 4:
        waiting = thrown + math.ceil((wait_ms - age_ms) / PACKET_MS)
        wait.read(reading(30.0, last_ns, age_ms=age_ms, waiting=waiting), TICK_NS)
    assert wait.wait_ms == pytest.approx(wait_ms, abs=0.1)


def test_what_was_stretched_lies_over_after_each_tick() -> None:
    assert left_over_ms(0) == 0
    assert left_over_ms(265 * 9 - 265 * 4) == pytest.approx(7.6, abs=0.01)
    assert left_over_ms(960 - 240) == 5.0


def test_a_voice_over_noise_is_a_jump_and_noise_and_going_on_are_none() -> None:
    rng = np.random.default_rng(1)
    noise = [rng.normal(0, 30, 960).astype(np.int16) for _ in range(60)]
    jump = LevelJump()
    assert not any([jump.heard(block) for block in noise][1:])
    loud = (noise[0] * 100).astype(np.int16)
    assert [jump.heard(loud) for _ in range(5)] == [True, False, False, False, False]


SILENCE_MS = 300.0


def in_silence(counted_ms: float, place_ms: float, *, taken: int = 2) -> Reading:
    """A reading long after the last packets; the very last of them came so much after a tick."""
    return Reading(
        counted_ms, taken, TICK_NS + round((place_ms - TICK_LATE_MS) * 1e6), SILENCE_MS, waiting=0, flowing=False
    )


@pytest.mark.parametrize(
    ("counted_ms", "place_ms"),
    [(30.0, 1.0), (40.0, 9.0), (35.0, 9.1), (30.0, 9.9), (40.0, 0.2)],
    ids=["after the tick", "before it", "one before, one after", "told before, came after", "told after, came before"],
)
def test_packets_of_a_silence_on_the_other_side_of_a_tick_are_no_other_wait(counted_ms: float, place_ms: float) -> None:
    """Packets come 0.9 ms before a tick, and wait 30.9 ms."""
    wait = JitterBufferWait()
    for _ in range(9):
        wait.read(in_silence(40.0, 9.1), TICK_NS)
    assert wait.wait_ms == pytest.approx(30.9, abs=0.1)
    wait.read(in_silence(counted_ms, place_ms), TICK_NS)
    assert wait.wait_ms == pytest.approx(30.9, abs=0.3)


def test_packets_of_a_silence_that_wait_a_tick_less_are_followed_at_once() -> None:
    wait = JitterBufferWait()
    for _ in range(9):
        wait.read(in_silence(40.0, 8.5), TICK_NS)
    wait.read(in_silence(30.0, 8.5), TICK_NS)
    assert wait.wait_ms == pytest.approx(21.5, abs=0.1)


def test_copies_are_told_from_packets_thrown_away_for_good() -> None:
    discards = Discards()
    assert discards.read(10, 2, flowing=True) == 2, "two of ten came too late"
    assert discards.read(35, 26, flowing=True) == 2, "each of 25 brought a copy"
    assert discards.read(37, 26, flowing=False) == 2, "a silence"
    assert discards.read(40, 28, flowing=False) == 2, "a voice begins, and its copies with its second packet"
    assert discards.read(65, 29, flowing=True) == 3, "and none any more"
