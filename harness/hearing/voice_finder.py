"""Finds the agent's or a caller's voice in a stream: its onset, its end and its quality.

Live calls and recordings both use this, so that the same samples give the same numbers.
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

# 160 ms at a time: with the 400 ms by which an onset may be backdated, that fits the history that the meter keeps.
STEP = SAMPLE_RATE * 16 // 100
NEWEST = SAMPLE_RATE  # samples kept: longer than the delay with which an onset is detected
LEAD = SAMPLE_RATE * 4 // 10  # every word has its first pitch within this time of its start
STANDS_OUT_DB = 25.0
SAME_REPLY = SAMPLE_RATE  # a stretch this soon after a voice skips the network, to save CPU
SURE_WITHIN = SAMPLE_RATE * 6 // 10  # the network is sure within this time of the first pitch, on the telephone too


@dataclass(frozen=True, slots=True)
class FoundEdge:
    """An onset, or an end with the quality of the voice that ended.

    Attributes:
        edge: The detected edge.
        quality: At an end, the quality of the voice.
        began_later: At an end, whether the voice began later than its onset reported; see `VoiceEdge.began`.
        sound: At an end, whether it was no voice but a click, a breath or a tone. The edge's `began` is then None.
        sure_after: How many samples after `began` the network was sure of speech; None if it was not asked.
    """

    edge: VoiceEdge
    quality: VoiceQuality | None = None
    began_later: bool = False
    sound: bool = False
    sure_after: int | None = None


class VoiceFinder:
    """Finds voices in a stream of (frames,) int16 mono at 48 kHz, fed in blocks of any size.

    Positions are samples from the start of the stream.
    """

    def __init__(self) -> None:
        self._detector = OnsetDetector()
        self._meter = VoiceMeter()
        self._onset = 0
        self._heard = 0
        self._newest: deque[NDArray[np.int16]] = deque()  # a stretch is detected a little after its onset
        self._kept = 0  # samples in `_newest`
        self._seeker: SpeechSeeker | None = None
        self._seeks_from = 0
        self._unsought: list[NDArray[np.int16]] = []  # of the stretch, not yet looked at
        self._net: SpeechNet | None = None
        self._last_voice: int | None = None  # the end of the last voice

    def feed(self, samples: NDArray[np.int16]) -> list[FoundEdge]:
        """Adds samples; returns the edges detected with them, in order."""
        found: list[FoundEdge] = []
        for start in range(0, samples.size, STEP):
            step = samples[start : start + STEP]
            # Most of a call is exact zeros: the agent sends nothing.
            if not is_silence(step):
                self._meter.feed(step)
                edges = self._detector.feed(step)
            else:
                self._meter.skip(step.size)
                edges = self._detector.skip(step.size)
            self._heard += step.size
            self._keep(step)
            if self._seeker is not None:
                self._seek_on(self._seeker, self._newest[-1])
            found += self._measured(edges)
        return found

    def finish(self) -> list[FoundEdge]:
        """Ends the stream, and with it a voice in progress."""
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
        self._newest.append(step.copy())  # the engine may reuse its buffer
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
        self._unsought = []
        self._seek_on(self._seeker, stretch)

    def _seek_on(self, seeker: SpeechSeeker, samples: NDArray[np.int16]) -> None:
        """Looks at the stretch in steps: what is found is needed at its end only, and small blocks cost more."""
        self._unsought.append(samples)
        if sum(map(len, self._unsought)) >= STEP:
            self._look(seeker)

    def _look(self, seeker: SpeechSeeker) -> None:
        samples = np.concatenate(self._unsought)
        self._unsought = []
        if self._net is not None:
            self._net.feed(samples)
            seeker.listens_on = self._net.found is None
        seeker.feed(samples)

    def _ended(self, edge: VoiceEdge) -> FoundEdge:
        """The end of a voice, of noise, or of another sound, which a voice may have followed."""
        seeker, self._seeker = self._seeker, None
        if seeker is not None and self._unsought:
            self._look(seeker)
        net, self._net = self._net, None
        meter = self._meter
        began, is_sound = edge.began, False
        stands_out = edge.level_dbfs >= self._detector.low_dbfs + STANDS_OUT_DB  # otherwise noise masks its nature
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
        """The sample of the first pitch or certain speech in the stretch; None if it has no speech."""
        pitched, sure = seeker.found, None
        if net is not None:
            sure = net.finish()
            if sure is None and net.knows_better_than(pitched) and not seeker.is_one_hum:
                return None
        if sure is not None and (pitched is None or not 0 <= sure - pitched <= SURE_WITHIN):
            pitched = sure
        return None if pitched is None else self._seeks_from + pitched
