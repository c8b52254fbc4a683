"""Hands frames to the SDK at a third of the cost of `AudioSource.capture_frame`.

That method waits for an answer to each frame: a subscription to all native events, a filter run by each, a future. At
100 frames a second per track this was most of a track's cost. With `queue_size_ms=0` the answer contains nothing that
anyone needs, so we do not wait for it. This relies on two private names of the SDK; if a version lacks them, its public
method is used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from harness.clock import NS_PER_MS, Clock

Capture = Callable[[NDArray[np.int16]], Awaitable[None]]

TOO_CLOSE_NS = 5 * NS_PER_MS
"""The native side takes each frame in a task of its own, so two that follow each other at once may change places."""


def capture_into(source: rtc.AudioSource, clock: Clock) -> Capture:
    """A function that hands frames to a source created with `queue_size_ms=0`.

    It takes 10 ms of int16, `(frames,)` mono or `(frames, channels)`, at the source's rate. Frames of a closed source
    are dropped.
    """
    try:
        return _Direct(source, clock)
    except (ImportError, AttributeError):
        return _Waiting(source)


class _Direct:
    """One request per frame, without waiting for its answer; frames that catch up after a delay do wait."""

    def __init__(self, source: rtc.AudioSource, clock: Clock) -> None:
        from livekit.rtc._ffi_client import FfiClient
        from livekit.rtc._proto import ffi_pb2

        self._send = FfiClient.instance.request
        self._handle = source._ffi_handle  # noqa: SLF001 - see the module
        self._request = ffi_pb2.FfiRequest()
        self._request.capture_audio_frame.source_handle = self._handle.handle
        self._buffer = self._request.capture_audio_frame.buffer
        self._buffer.sample_rate = source.sample_rate
        self._buffer.num_channels = source.num_channels
        self._waiting = _Waiting(source)
        self._clock = clock
        self._last_ns = -TOO_CLOSE_NS

    async def __call__(self, frame: NDArray[np.int16]) -> None:
        now_ns = self._clock.now_ns()
        last_ns, self._last_ns = self._last_ns, now_ns
        if now_ns - last_ns < TOO_CLOSE_NS:
            await self._waiting(frame)
        elif not self._handle.disposed:
            samples = np.ascontiguousarray(frame)
            self._buffer.samples_per_channel = len(samples)
            self._buffer.data_ptr = samples.ctypes.data  # the native side has copied it by the time this returns
            self._send(self._request)


class _Waiting:
    """The public API."""

    def __init__(self, source: rtc.AudioSource) -> None:
        self._source = source

    async def __call__(self, frame: NDArray[np.int16]) -> None:
        samples = np.ascontiguousarray(frame)
        source = self._source
        await source.capture_frame(
            rtc.AudioFrame(samples.tobytes(), source.sample_rate, source.num_channels, len(samples))
        )
