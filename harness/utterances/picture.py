"""A file's voice as one line of text, and what is doubtful about its place.

    ▁▁▁[▃▆█▇▅ ▅▇▆▃]▁▁(▂▃▂)▁▁  0.60 to 2.04 s of 4.24 s, -22.8 dBFS, noise up to -48.5 dBFS

The higher the bar, the louder; square brackets enclose the words, round ones other sounds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.hearing.level import SILENCE_DBFS
from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.second_look import second_look
from harness.hearing.voice_place import BELOW_ACTIVE_DB, NO_VOWEL, find_voice
from harness.hearing.voiced import level_dbfs
from harness.utterances.find import Utterance

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 48
SHOWN_DB = BELOW_ACTIVE_DB + 20.0  # below the loudest


@dataclass(frozen=True, slots=True)
class Picture:
    """A line that shows where the voice is, and why that may be wrong: in words, or empty if it is certain."""

    line: str
    doubts: list[str]


def picture_of(said: Utterance) -> Picture:
    """Shows where the words are, and compares that with a second method."""
    voice = find_voice(said.pcm, SAMPLE_RATE)
    others = voice.others if voice else ()
    start, end = said.voiced_start, said.voiced_end
    parts = [f"{start / SAMPLE_RATE:.2f} to {end / SAMPLE_RATE:.2f} s of {said.pcm.size / SAMPLE_RATE:.2f} s"]
    if voice is not None:
        parts.append(f"{voice.level_dbfs:.1f} dBFS")
        if voice.noise_dbfs is not None and voice.noise_dbfs > SILENCE_DBFS:
            parts.append(f"noise up to {voice.noise_dbfs:.0f} dBFS")
    doubts = list(voice.doubts) if voice else ["no voice is louder than the noise"]
    doubts += [
        f"the sound from {first / SAMPLE_RATE:.2f} to {last / SAMPLE_RATE:.2f} s was taken for no word"
        for first, last in others
        if first >= end or last <= start
    ]
    if said.text or not said.in_manifest:  # a manifest's cough contains no words
        doubts += second_look(said.pcm, start, end)
    elif NO_VOWEL in doubts:
        doubts.remove(NO_VOWEL)
    told = "; ".join(said.notes)
    doubts = [doubt for doubt in doubts if doubt not in told]
    return Picture(f"{bar(said.pcm, (start, end), others)}  {', '.join(parts)}", doubts)


def bar(pcm: NDArray[np.int16], words: tuple[int, int], others: Sequence[tuple[int, int]] = ()) -> str:
    """The loudness of `(frames,)` samples in `WIDTH` cells, with words and other sounds in brackets."""
    edges = np.linspace(0, pcm.size, WIDTH + 1).astype(int)
    levels = [level_dbfs(pcm[first:stop]) for first, stop in itertools.pairwise(edges)]
    most = max(levels)
    shares = [1 + (level - most) / SHOWN_DB for level in levels]
    cells = [BARS[max(0, round(share * (len(BARS) - 1)))] for share in shares]
    marks = [(*words, "[", "]"), *((first, last, "(", ")") for first, last in others)]
    for first, last, opened, closed in marks:
        if last <= first or not pcm.size:
            continue
        left = min(WIDTH - 1, int(first * WIDTH / pcm.size))
        right = min(WIDTH - 1, max(left, -(-last * WIDTH // pcm.size) - 1))
        cells[left] = opened + cells[left]
        cells[right] += closed
    return "".join(cells)
