"""Times of a received stream: steady under jitter, and quick to follow a real jump."""

from __future__ import annotations

import random

import pytest

from harness.call.engines.arrival import ArrivalFit
from harness.clock import NS_PER_MS

BLOCK = 960
BLOCK_NS = 20 * NS_PER_MS


T0 = 5_000_000_000


def test_jitter_of_single_arrivals_does_not_move_the_times() -> None:
    rng = random.Random(5)
    fit = ArrivalFit()
    worst_ns = 0
    for block in range(1, 500):
        due_ns = 7_000_000_000 + block * BLOCK_NS
        fit.arrived(block * BLOCK, due_ns + round(rng.uniform(-4, 4) * NS_PER_MS))
        if block > 50:
            worst_ns = max(worst_ns, abs(fit.time_of(block * BLOCK) - due_ns))
    assert worst_ns < 1.5 * NS_PER_MS


def test_one_late_arrival_is_jitter_and_three_are_a_jump() -> None:
    fit = ArrivalFit()
    for block in range(1, 101):
        fit.arrived(block * BLOCK, block * BLOCK_NS)
    fit.arrived(101 * BLOCK, 101 * BLOCK_NS + 90 * NS_PER_MS)
    assert abs(fit.time_of(0)) < NS_PER_MS
    for block in range(102, 106):
        fit.arrived(block * BLOCK, block * BLOCK_NS + 90 * NS_PER_MS)
    assert abs(fit.time_of(0) - 90 * NS_PER_MS) < NS_PER_MS


@pytest.mark.parametrize("stall_ms", [200, 500, 3000, 11_000])
def test_what_piled_up_while_nobody_read_keeps_the_times_at_which_it_came(stall_ms: int) -> None:
    fit = ArrivalFit()
    read_ns = 0
    for block in range(1, 1200):
        came_ns = block * BLOCK_NS
        stalled = 200 * BLOCK_NS < came_ns <= 200 * BLOCK_NS + stall_ms * NS_PER_MS
        read_ns = max(came_ns, 200 * BLOCK_NS + stall_ms * NS_PER_MS) if stalled else came_ns
        fit.arrived(block * BLOCK, read_ns)
        assert abs(fit.time_of(block * BLOCK) - came_ns) <= 2 * NS_PER_MS


def test_a_stream_that_went_on_without_a_part_of_it_is_followed() -> None:
    fit = ArrivalFit()
    for block in range(1, 101):
        fit.arrived(block * BLOCK, block * BLOCK_NS)
    for block in range(101, 120):
        fit.arrived(block * BLOCK, block * BLOCK_NS + 2000 * NS_PER_MS)
    assert abs(fit.time_of(0) - 2000 * NS_PER_MS) < NS_PER_MS


def test_a_slow_drift_between_the_clocks_is_followed() -> None:
    fit = ArrivalFit()
    drift = 1 + 100e-6
    for block in range(1, 3001):
        fit.arrived(block * BLOCK, round(block * BLOCK_NS * drift))
    assert abs(fit.time_of(3000 * BLOCK) - 3000 * BLOCK_NS * drift) < NS_PER_MS


def test_the_soonest_arrivals_tell_when_audio_could_have_come() -> None:
    fit = ArrivalFit()
    for frame in range(100):
        late_ns = 0 if frame % 5 == 0 else 3_000_000
        fit.arrived((frame + 1) * 960, T0 + (frame + 1) * 20_000_000 + late_ns)
    assert fit.soonest(0) == T0
    assert fit.time_of(0) == T0 + 3_000_000
