"""The ear with the real voice activity detector on the real fixtures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.clock import NS_PER_S
from harness.stack.agents.ear import AgentEar, Began, HearingEvent, MayHaveEnded, TookTurn, UtteranceEnded
from harness.stack.agents.endpointing import RATE_HZ
from harness.stack.agents.finder import Fixture
from harness.stack.agents.fixtures import load_fixtures

FIXTURES = {fixture.name: fixture for fixture in load_fixtures()}
SHORT = ("cough", "mm-hmm")
START_NS = 5 * NS_PER_S
LEAD = RATE_HZ


def heard(fixture: Fixture, *, noise_dbfs: float = -90.0) -> Sequence[HearingEvent]:
    """What the ear decides of a second of silence, the fixture and a second more, arriving in real time."""
    silence = np.zeros(LEAD, np.float32)
    samples = np.concatenate((silence, fixture.samples, silence))
    samples += np.random.default_rng(1).normal(0, 32768 * 10 ** (noise_dbfs / 20), len(samples))
    pcm = np.clip(samples, -32768, 32767).astype(np.int16)
    ear = AgentEar(0.5)
    return [
        event
        for end in range(512, len(pcm) + 1, 512)
        for event in ear.feed(pcm[end - 512 : end], START_NS + end * NS_PER_S // RATE_HZ)
    ]


def arrival_ns(fixture_sample: int) -> int:
    return START_NS + (LEAD + fixture_sample) * NS_PER_S // RATE_HZ


@pytest.mark.parametrize("name", sorted(set(FIXTURES) - set(SHORT)))
def test_a_line_is_heard_with_its_end(name: str) -> None:
    fixture = FIXTURES[name]
    ends = [event for event in heard(fixture) if isinstance(event, UtteranceEnded)]
    error_ms = (ends[-1].end_ns - arrival_ns(fixture.voiced_end)) / 1e6
    assert -60 < error_ms < 120
    assert len(ends[-1].pcm) >= (fixture.voiced_end - fixture.voiced_start) * 0.6


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("noise_dbfs", [-90.0, -50.0])
def test_a_cough_and_an_mm_hmm_take_no_turn(name: str, noise_dbfs: float) -> None:
    events = heard(FIXTURES[name], noise_dbfs=noise_dbfs)
    assert not [event for event in events if isinstance(event, TookTurn)]
    assert all(event.short for event in events if isinstance(event, UtteranceEnded))


def test_one_more_thing_takes_the_turn() -> None:
    events = heard(FIXTURES["one-more-thing"])
    assert [event for event in events if isinstance(event, TookTurn)]
    assert isinstance(events[0], Began)
    assert [event for event in events if isinstance(event, MayHaveEnded)]


def test_noise_alone_is_no_voice() -> None:
    silence = Fixture("noise", np.zeros(10 * RATE_HZ, np.float32), 0, 1)
    assert not [event for event in heard(silence, noise_dbfs=-45.0) if isinstance(event, UtteranceEnded)]
