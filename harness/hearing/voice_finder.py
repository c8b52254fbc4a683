"""The agent's or a caller's voice, found in a stream: where it sets in and ends, and how it sounds.

What listens in a call and what reads a recording both use this, so that the same samples give the same numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.hearing.level import is_silence
from harness.hearing.onset import SAMPLE_RATE, OnsetDetector, VoiceEdge
from harness.hearing.speech_like import HOP, SpeechSeeker
from harness.hearing.speech_net import SpeechNet, has_speech_net
from harness.hearing.voice_quality import VoiceMeter, VoiceQuality

# 160 ms at a time: with the 400 ms that an onset may be dated back by, the meter keeps no more of what came before it.
STEP = SAMPLE_RATE * 16 // 100
NEWEST = SAMPLE_RATE  # longer than an onset is known after it was
LEAD = SAMPLE_RATE * 4 // 10  # no word of a voice has a pitch for the first time so long after it began
STANDS_OUT_DB = 25.0
SAME_REPLY = SAMPLE_RATE  # what begins so soon after a voice is not asked about again: it costs too much
SURE_WITHIN = SAMPLE_RATE * 6 // 10  # so long after a first pitch the network is sure of it, on the telephone too


@dataclass(frozen=True, slots=True)
class FoundEdge:
    """An onset, or an end with the quality of the voice that ended.

    `began_later` is true of an end that knows the voice's beginning better than its onset did; see `VoiceEdge.began`.
    `sound` is true of the end of what was no voice: a click, a breath, a tone. Then the edge's `began` is None.
    `sure_after` is how many samples after `began` it was surely speech; None where that was not asked.
    """

    edge: VoiceEdge
    quality: VoiceQuality | None = None
    began_later: bool = False
    sound: bool = False
    sure_after: int | None = None


class VoiceFinder:
    """Fed a stream of (frames,) int16 mono at 48 kHz in blocks of any size; positions count from its start."""

    def __init__(self) -> None:
        self._detector = OnsetDetector()
        self._meter = VoiceMeter()
        self._onset = 0
        self._heard = 0
        self._newest: deque[NDArray[np.int16]] = deque()  # for a stretch that is known a little after its onset
        self._kept = 0  # samples in them
        self._seeker: SpeechSeeker | None = None
        self._seeks_from = 0
        self._net: SpeechNet | None = None
        self._last_voice: int | None = None  # where it ended

    def feed(self, samples: NDArray[np.int16]) -> list[FoundEdge]:
        """The edges that became known by these samples, in order."""
        found: list[FoundEdge] = []
        for start in range(0, samples.size, STEP):
            step = samples[start : start + STEP]
            # Where an agent sends nothing there are exact zeros, for most of a call.
            if not is_silence(step):
                self._meter.feed(step)
                edges = self._detector.feed(step)
            else:
                self._meter.skip(step.size)
                edges = self._detector.skip(step.size)
            self._heard += step.size
            if self._seeker is not None:
                self._seek_on(self._seeker, step)
            self._keep(step)
            found += self._measured(edges)
        return found

    def finish(self) -> list[FoundEdge]:
        """The stream has ended: so has a voice that lasts."""
        return self._measured(self._detector.finish())

    def _measured(self, edges: Iterable[VoiceEdge]) -> list[FoundEdge]:
        found = []
        for edge in edges:
            if edge.edge == "onset":
                self._meter.begin(edge.position)
                self._onset = edge.position
                self._seek(edge.position)
                found.append(FoundEdge(edge))
            else:
                found.append(self._ended(edge))
        return found

    def _keep(self, step: NDArray[np.int16]) -> None:
        self._newest.append(step.copy())  # the engine's buffer may not be ours to keep
        self._kept += step.size
        while self._kept - self._newest[0].size >= NEWEST:
            self._kept -= self._newest.popleft().size

    def _seek(self, onset: int) -> None:
        newest = np.concatenate(self._newest)[-NEWEST:]
        first = self._heard - newest.size
        self._seeks_from = max(onset // HOP * HOP, -(-first // HOP) * HOP)
        stretch = newest[self._seeks_from - first :]
        self._seeker = SpeechSeeker()
        goes_on = self._last_voice is not None and onset - self._last_voice < SAME_REPLY
        self._net = None if goes_on or not has_speech_net() else SpeechNet()
        self._seek_on(self._seeker, stretch)

    def _seek_on(self, seeker: SpeechSeeker, samples: NDArray[np.int16]) -> None:
        if self._net is not None:
            self._net.feed(samples)
            seeker.listens_on = self._net.found is None
        seeker.feed(samples)

    def _ended(self, edge: VoiceEdge) -> FoundEdge:
        """The end of a voice, of noise, or of a sound that was no voice, or that a voice came after."""
        seeker, self._seeker = self._seeker, None
        net, self._net = self._net, None
        meter = self._meter
        began, is_sound = edge.began, False
        stands_out = edge.level_dbfs >= self._detector.low_dbfs + STANDS_OUT_DB  # else noise hides what it is
        if began is not None and seeker is not None and stands_out:
            spoke = self._spoke(seeker, net)
            if spoke is None:
                began, is_sound = None, True
            elif spoke - began > LEAD:
                began = max(began, meter.set_in_before(spoke))
        if began is not None:
            self._last_voice = edge.position
        later = began is not None and began != self._onset
        sure_after = None
        if began is not None and net is not None and net.found is not None:
            sure_after = self._seeks_from + net.found - began
        return FoundEdge(replace(edge, began=began), meter.end(edge.position), later, is_sound, sure_after)

    def _spoke(self, seeker: SpeechSeeker, net: SpeechNet | None) -> int | None:
        """Where the stretch has speech for the first time, but for its first sound; None where it has none."""
        pitched, sure = seeker.found, None
        if net is not None:
            sure = net.finish()
            if sure is None and net.knows_better_than(pitched) and not seeker.is_one_hum:
                return None
        if sure is not None and (pitched is None or not 0 <= sure - pitched <= SURE_WITHIN):
            pitched = sure
        return None if pitched is None else self._seeks_from + pitched
