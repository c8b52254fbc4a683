"""A call's media health out of what its seconds and its voices told."""

from __future__ import annotations

from typing import Any

import pytest

from harness.measure.media_health import media_health
from harness.metrics.samples import Sample, samples_of
from harness.record.result import CallResult, MediaHealth
from harness.timeline.events import AgentEnd, MediaSecond
from tests.events import typed
from tests.measure.timelines import CallMade


def second(received: int = 50, lost: int = 0, **more: Any) -> dict[str, Any]:
    """What a `media` event tells, without its time."""
    told = {"samples": 48_000, "concealed": 0, "jitter_ms": 1.0, "rtt_ms": 20.0, "jitter_buffer_ms": 40.0}
    return {"received": received, "lost": lost, **told, **more}


def spoken(active_ms: int, active_dbfs: float, **more: Any) -> dict[str, Any]:
    told = {"active_ms": active_ms, "active_dbfs": active_dbfs, "clipped": 0.0, "dropouts": 0, "dropout_ms": 0}
    return {**told, **more}


def heard_in(seconds: list[dict[str, Any]]) -> list[MediaSecond]:
    events = typed({"t": number, "event": "media", **told} for number, told in enumerate(seconds))
    return [event for event in events if isinstance(event, MediaSecond)]


def ends(*told: dict[str, Any]) -> list[AgentEnd]:
    events = typed({"t": 0, "event": "agent.end", **each} for each in told)
    return [event for event in events if isinstance(event, AgentEnd)]


def health(seconds: list[dict[str, Any]]) -> MediaHealth:
    return media_health(heard_in(seconds), [])


def test_shares_are_of_the_whole_call_and_times_are_means_of_its_seconds() -> None:
    seconds = [second(47, 3, concealed=2400, rtt_ms=30.0), second(50), second(3, jitter_buffer_ms=None, jitter_ms=4.0)]
    found = health(seconds)
    assert found.loss == round(3 / 103, 6)
    assert found.concealed == round(2400 / 144_000, 6)
    assert (found.jitter_ms, found.rtt_ms, found.jitter_buffer_ms) == (2.0, 23.333, 40.0)


def test_silence_that_is_not_transmitted_is_no_loss() -> None:
    found = health([second(2) for _ in range(10)])
    assert (found.loss, found.concealed) == (0, 0)


def test_a_packet_that_came_late_after_all_is_taken_back() -> None:
    assert health([second(49, 1), second(51, -1)]).loss == 0
    assert health([second(51, -1)]).loss == 0


def test_the_level_is_of_all_voices_by_their_length() -> None:
    assert media_health([], ends(spoken(1000, -20.0), spoken(1000, -20.0))).level_dbfs == -20
    assert media_health([], ends(spoken(3000, -20.0), spoken(1000, -60.0))).level_dbfs == -21.2
    assert media_health([], ends(spoken(3000, -20.0, clipped=0.04), spoken(1000, -20.0))).clipped == 0.03


@pytest.mark.parametrize(
    ("media", "dropouts"),
    [
        ({}, 0),
        ({"lost": 2}, 2),
        ({"concealed": 960}, 2),
        ({"concealed": 100}, 0),
        ({"behind_ms": 40.0}, 2),
        ({"lost": 2, "t": 9_000_000_000}, 0),
    ],
)
def test_a_voice_breaks_off_where_the_media_tells_so(media: dict[str, Any], dropouts: int) -> None:
    """A robotic voice has such gaps between its sounds: by itself the sound says nothing."""
    told = {"t": 3_500_000_000, **media}
    end = spoken(1000, -20.0, t=3_000_000_000, began=1_800_000_000, dropouts=2, dropout_ms=90)
    found = media_health(heard_in([second(t=1_000_000_000), second(**told)]), ends(end))
    assert (found.dropouts, found.dropout_ms) == (dropouts, 45 * dropouts)


def test_what_nobody_told_is_not_made_up() -> None:
    assert media_health([], []) == MediaHealth()
    assert media_health([], ends({"level_dbfs": -20.0, "found": 1})).level_dbfs is None
    quiet = {"samples": None, "concealed": None, "jitter_ms": None, "rtt_ms": None, "jitter_buffer_ms": None}
    bare = health([second(50, 1, **quiet)])
    assert (bare.loss, bare.concealed, bare.rtt_ms) == (round(1 / 51, 6), None, None)


def audio(call: CallResult) -> list[Sample]:
    return [sample for sample in samples_of([call]) if sample.metric.startswith("audio.")]


def heard_call(*, late: bool = False) -> CallResult:
    call = CallMade().say(3000, 5000, 8000).agent(6000, 6500).event(7000, "media", **second(49, 1))
    call.event(6600, "agent.onset", ear=None, level_dbfs=-20.0, found=0)
    call.event(6990, "agent.end", level_dbfs=-18.0, found=0, **spoken(400, -23.0, dropouts=1, dropout_ms=60))
    return (call.late(4000, 150) if late else call).hung_up(8100).measured()


def test_each_call_gives_one_sample_of_each_metric_and_dropouts_are_noted() -> None:
    call = heard_call()
    found = {sample.metric: sample.value for sample in audio(call)}
    assert found == {
        "audio.loss": 0.02,
        "audio.concealed": 0,
        "audio.clipped": 0,
        "audio.jitter": 1,
        "audio.rtt": 20,
        "audio.jitter_buffer": 40,
        "audio.level_dbfs": -23,
    }
    assert len(audio(call)) == len(found)
    assert call.notes == ["the agent's voice broke off 1 time, 60 ms in all"]


def test_a_call_in_which_we_were_late_says_nothing_of_the_agents_audio() -> None:
    assert all(sample.fit for sample in audio(heard_call()))
    assert not any(sample.fit for sample in audio(heard_call(late=True)))
