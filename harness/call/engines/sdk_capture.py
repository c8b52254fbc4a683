"""Hands frames to the SDK at a third of the cost of `AudioSource.capture_frame`.

That method waits for an answer to each frame: a subscription to all native events, a filter run by each, a future. At
100 frames a second per call this was most of a call's cost. With `queue_size_ms=0` the answer contains nothing that the
caller needs, so we do not wait for it. This relies on two private names of the SDK; if a version lacks them, its public
method is used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from harness.call.engines.line import SAMPLE_RATE

Capture = Callable[[NDArray[np.int16]], Awaitable[None]]


def capture_into(source: rtc.AudioSource) -> Capture:
    """A function that hands `(480,)` int16 mono at 48 kHz to a source created with `queue_size_ms=0`."""
    try:
        return _Direct(source)
    except (ImportError, AttributeError):
        return _Waiting(source)


class _Direct:
    """One request per frame, without waiting for its answer."""

    def __init__(self, source: rtc.AudioSource) -> None:
        from livekit.rtc._ffi_client import FfiClient
        from livekit.rtc._proto import ffi_pb2

        self._send = FfiClient.instance.request
        self._request = ffi_pb2.FfiRequest()
        self._request.capture_audio_frame.source_handle = source._ffi_handle.handle  # noqa: SLF001 - see the module
        self._buffer = self._request.capture_audio_frame.buffer
        self._buffer.sample_rate = SAMPLE_RATE
        self._buffer.num_channels = 1

    async def __call__(self, frame: NDArray[np.int16]) -> None:
        samples = np.ascontiguousarray(frame)
        self._buffer.samples_per_channel = samples.size
        self._buffer.data_ptr = samples.ctypes.data  # the native side has copied it by the time the request returns
        self._send(self._request)


class _Waiting:
    """The public API."""

    def __init__(self, source: rtc.AudioSource) -> None:
        self._source = source

    async def __call__(self, frame: NDArray[np.int16]) -> None:
        await self._source.capture_frame(rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, frame.size))
