"""Frames handed to the SDK: one request each; those that catch up keep their order; none into a closed source."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.rtc._ffi_client import FfiClient

from harness.clock import Clock
from harness.testing import FakeClock
from harness.transport.sdk_capture import Capture, capture_into

FRAME = np.arange(480, dtype=np.int16)


class Source:
    """An `rtc.AudioSource` that keeps what it is given, and whether its answer was awaited."""

    sample_rate = 48_000

    def __init__(self, channels: int = 1) -> None:
        self.num_channels = channels
        self._ffi_handle = SimpleNamespace(handle=7, disposed=False)
        self.taken: list[str] = []

    def close(self) -> None:
        self._ffi_handle.disposed = True

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.taken.append(f"awaited {frame.samples_per_channel}")

    def request(self, request: Any) -> None:
        capture = request.capture_audio_frame
        assert capture.source_handle == 7
        self.taken.append(f"{capture.buffer.samples_per_channel} of {capture.buffer.num_channels}")


def _source(
    monkeypatch: pytest.MonkeyPatch, clock: Clock | None = None, *, channels: int = 1
) -> tuple[Source, Capture]:
    source = Source(channels)
    monkeypatch.setattr(FfiClient, "_instance", source)
    return source, capture_into(source, clock or FakeClock())  # type: ignore[arg-type] # what is used of an AudioSource


async def test_frames_in_time_are_handed_over_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    source, capture = _source(monkeypatch, clock)
    for _ in range(3):
        await capture(FRAME)
        clock.advance(0.01)
    assert source.taken == ["480 of 1"] * 3


async def test_frames_that_catch_up_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    source, capture = _source(monkeypatch, clock)
    await capture(FRAME)
    clock.advance(0.1)  # late
    for _ in range(3):
        await capture(FRAME)
    clock.advance(0.01)
    await capture(FRAME)
    assert source.taken == ["480 of 1", "480 of 1", "awaited 480", "awaited 480", "480 of 1"]


async def test_stereo_counts_samples_per_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    source, capture = _source(monkeypatch, channels=2)
    await capture(np.stack((FRAME, FRAME), axis=1))
    assert source.taken == ["480 of 2"]


async def test_a_closed_source_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source, capture = _source(monkeypatch)
    source.close()
    await capture(FRAME)
    assert not source.taken
