"""Opus by libopus itself (RFC 6716): whole utterances encoded in advance, packets decoded one by one.

libopus is called through ctypes: decoding 20 ms takes 25 us, against 50 us with PyAV. ctypes releases the GIL, so an
utterance can be encoded while the event loop runs.
"""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ConfigError

SAMPLE_RATE = 48_000
FRAME = SAMPLE_RATE // 50  # samples in a packet of 20 ms, which is what we send
LOOK_AHEAD = 312  # the encoder's look-ahead in samples: decoded audio lags behind what was encoded by as many
MOST_SAMPLES = 5760  # the most samples in a packet: 120 ms (RFC 6716, 2.1.4)
SILENT_PACKETS = 50

_APPLICATION_VOIP = 2048
_SET_BITRATE = 4002
_SET_COMPLEXITY = 4010
_GET_LOOKAHEAD = 4027
_BITRATE = 32_000  # libwebrtc's bit rate for a mono voice
_COMPLEXITY = 10
_MOST_BYTES = 1275
_KEPT_UTTERANCES = 256


def packet_samples(payload: bytes) -> int:
    """Number of samples at 48 kHz in a packet, from its first bytes (RFC 6716, 3.1); 0 if it is no Opus packet."""
    if not payload:
        return 0
    config = payload[0] >> 3
    if config < 12:  # SILK
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:  # hybrid
        frame = (480, 960)[config & 1]
    else:  # CELT
        frame = 120 << (config & 3)
    code = payload[0] & 3
    if code == 3:
        if len(payload) < 2:
            return 0
        count = payload[1] & 0x3F
    else:
        count = 1 if code == 0 else 2
    samples = frame * count
    return samples if 0 < samples <= MOST_SAMPLES else 0


@cache
def _library() -> ctypes.CDLL:
    try:
        from opuslib_next.api import libopus

        # A handle of our own: the package's handle has its own argument types on its functions.
        library = ctypes.CDLL(libopus._name)  # noqa: SLF001 - documented, as the library's functions have its names
    except (ImportError, OSError, RuntimeError) as problem:
        raise ConfigError(
            f"libopus cannot be loaded: {problem}", where="--engine light", hint="reinstall opuslib-next-bundled"
        ) from None
    pointer, number = ctypes.c_void_p, ctypes.c_int
    for name, result, arguments in (
        ("opus_encoder_create", pointer, [number, number, number, ctypes.POINTER(number)]),
        ("opus_encoder_destroy", None, [pointer]),
        ("opus_encode", number, [pointer, pointer, number, pointer, number]),
        ("opus_decoder_create", pointer, [number, number, ctypes.POINTER(number)]),
        ("opus_decoder_destroy", None, [pointer]),
        ("opus_decode", number, [pointer, ctypes.c_char_p, number, pointer, number, number]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Encoder:
    """Encodes one stream, 20 ms at a time; sample i of the input becomes sample i + `LOOK_AHEAD` of the decoded output.

    Args:
        complexity: 0 to 10, the computation spent on a packet (RFC 6716, 2.1.5); 10 is libwebrtc's.

    Raises:
        ConfigError: libopus cannot be loaded, or has another look-ahead.
    """

    def __init__(self, complexity: int = _COMPLEXITY) -> None:
        self._opus = _library()
        error = ctypes.c_int()
        self._state: int | None = self._opus.opus_encoder_create(SAMPLE_RATE, 1, _APPLICATION_VOIP, ctypes.byref(error))
        if not self._state:
            raise MemoryError(f"libopus: error {error.value}")
        for request, value in ((_SET_BITRATE, _BITRATE), (_SET_COMPLEXITY, complexity)):
            self._control(request, ctypes.c_int(value))
        look_ahead = ctypes.c_int()
        self._control(_GET_LOOKAHEAD, ctypes.byref(look_ahead))
        if look_ahead.value != LOOK_AHEAD:
            raise ConfigError(
                f"libopus has a look-ahead of {look_ahead.value} samples; only {LOOK_AHEAD} is supported",
                where="--engine light",
                hint="install the version of opuslib-next-bundled in requirements.lock",
            )
        self._room = ctypes.create_string_buffer(_MOST_BYTES)

    def _control(self, request: int, *arguments: Any) -> None:
        self._opus.opus_encoder_ctl(ctypes.c_void_p(self._state), ctypes.c_int(request), *arguments)

    def encode(self, pcm: NDArray[np.int16]) -> bytes:
        """Encodes `(960,)` int16 mono at 48 kHz, contiguous, to a packet."""
        size = self._opus.opus_encode(self._state, pcm.ctypes.data, FRAME, self._room, _MOST_BYTES)
        if size < 0:
            raise ValueError(f"libopus: error {size}")
        return self._room.raw[:size]

    def close(self) -> None:
        """Frees the encoder. Idempotent."""
        if self._state is not None:
            self._opus.opus_encoder_destroy(self._state)
            self._state = None

    def __del__(self) -> None:
        if getattr(self, "_state", None) is not None:
            self.close()


def encode(pcm: NDArray[np.int16]) -> list[bytes]:
    """Encodes an utterance to packets of 20 ms with a new encoder, including what its look-ahead held back.

    Args:
        pcm: `(frames,)` int16 mono at 48 kHz.

    Raises:
        ConfigError: See `Encoder`.
    """
    encoder = Encoder()
    tail = -(pcm.size + LOOK_AHEAD) % FRAME + LOOK_AHEAD
    padded = np.ascontiguousarray(np.concatenate([pcm, np.zeros(tail, np.int16)]))
    packets = [encoder.encode(padded[start : start + FRAME]) for start in range(0, padded.size, FRAME)]
    encoder.close()
    return packets


class Encoded:
    """Cache of encoded utterances by their content, one per process; the least recently used are evicted."""

    def __init__(self, most: int = _KEPT_UTTERANCES) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[int, bytes], list[bytes]] = OrderedDict()

    def get(self, pcm: NDArray[np.int16]) -> list[bytes] | None:
        """The utterance's packets; None if they are not cached."""
        key = _key(pcm)
        packets = self._kept.get(key)
        if packets is not None:
            self._kept.move_to_end(key)
        return packets

    def make(self, pcm: NDArray[np.int16]) -> list[bytes]:
        """The utterance's packets; encoding takes about 0.2 ms each if they are not cached. Thread-safe."""
        packets = self.get(pcm)
        if packets is None:
            packets = encode(pcm)
            self._kept[_key(pcm)] = packets
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return packets


def _key(pcm: NDArray[np.int16]) -> tuple[int, bytes]:
    import hashlib

    return pcm.size, hashlib.blake2b(np.ascontiguousarray(pcm).data, digest_size=16).digest()


@cache
def silence() -> bytes:
    """The 20 ms packet that an encoder settles on after some silence."""
    return encode(np.zeros(SILENT_PACKETS * FRAME, np.int16))[-2]


class Decoder:
    """Decodes one stream's packets in order, to mono.

    Args:
        rate_hz: The output's sample rate: 48, 24, 16, 12 or 8 kHz.

    Raises:
        ConfigError: libopus cannot be loaded.
    """

    def __init__(self, rate_hz: int = SAMPLE_RATE) -> None:
        self._opus = _library()
        error = ctypes.c_int()
        self._state: int | None = self._opus.opus_decoder_create(rate_hz, 1, ctypes.byref(error))
        if not self._state:
            raise MemoryError(f"libopus: error {error.value}")
        self._decode = self._opus.opus_decode

    def decode(self, payload: bytes, into: NDArray[np.int16]) -> int:
        """Decodes a packet into the start of a contiguous array; returns its sample count, 0 for a broken packet."""
        return self.decode_at(payload, into.ctypes.data, into.size)

    def decode_at(self, payload: bytes, address: int, room: int) -> int:
        """As `decode`, to an address with space for `room` samples; saves looking up the array's address each time."""
        count: int = self._decode(self._state, payload, len(payload), address, room, 0)
        return max(0, count)

    def comfort_noise(self, into: NDArray[np.int16]) -> int:
        """Fills `into` (a multiple of 2.5 ms, at most 120 ms) with comfort noise, as a receiver plays in DTX."""
        count: int = self._decode(self._state, None, 0, into.ctypes.data, into.size, 0)
        return max(0, count)

    def close(self) -> None:
        """Frees the decoder. Idempotent."""
        if self._state is not None:
            self._opus.opus_decoder_destroy(self._state)
            self._state = None

    def __del__(self) -> None:
        state: Any = getattr(self, "_state", None)
        if state is not None:
            self.close()
