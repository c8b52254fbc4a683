"""The shift of an onset by the agent's codec, a known part of each measured delay."""

from __future__ import annotations

from functools import cache

import numpy as np

from harness.hearing.onset import OnsetDetector
from harness.stack.agents.light_line import COMPLEXITY
from harness.stack.agents.truth import tone
from harness.transport.opus import FRAME, SAMPLE_RATE, Decoder, Encoder

_SILENCE = np.zeros(50 * FRAME, np.int16)  # between two sounds, for the detector to learn its floor
_PLACES = range(0, FRAME, FRAME // 12)  # positions of the onset within its packet


@cache
def codec_onset_ms() -> float:
    """How much later the onset of the agent's sound is detected after encoding and decoding, in ms.

    The encoder's look-ahead delays it by 6.5 ms (312 samples, RFC 7845), and the transform codec's pre-echo moves an
    onset this sharp about 3 ms earlier again.
    """
    return float(np.median([_shift_ms(place) for place in _PLACES]))


def _shift_ms(place: int) -> float:
    sound = tone().pcm
    # Measure the second of two sounds, since an encoder adapts; the first stands for the greeting, which is not a turn.
    before = np.concatenate([_SILENCE, sound, _SILENCE, np.zeros(place, np.int16)])
    stream = np.concatenate([before, sound])
    stream = np.concatenate([stream, np.zeros(-stream.size % FRAME, np.int16)])
    encoder, decoder = Encoder(COMPLEXITY), Decoder()
    heard = np.zeros_like(stream)
    for start in range(0, stream.size, FRAME):
        decoder.decode(encoder.encode(stream[start : start + FRAME]), heard[start : start + FRAME])
    onset = [edge.position for edge in OnsetDetector().feed(heard) if edge.edge == "onset"][-1]
    return (onset - before.size) * 1000 / SAMPLE_RATE
