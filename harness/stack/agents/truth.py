"""How the truth agent knows when the caller ended: it has the caller's WAVs and finds them in what it hears.

It uses neither energy nor voice activity, on purpose: the harness measures with those, and one bug must not hide in
both. It correlates what arrives with every fixture; once it recognises one, it tracks the position in it. The end is
the arrival of the sample that the manifest names as the voiced end. Nothing here imports `harness.measure` or
`harness.call`.
"""

from __future__ import annotations

from concurrent.futures import Executor
from functools import cache

import numpy as np

from harness.stack.agents.arrival import ArrivalClock
from harness.stack.agents.ear import Began, HearingEvent, UtteranceEnded
from harness.stack.agents.finder import RATE_HZ, Bank, Finder
from harness.stack.agents.trimmed_speech import RATE_HZ as VOICE_RATE_HZ
from harness.stack.agents.trimmed_speech import Pcm, TrimmedSpeech

FRAME_MS = 20  # length of the frames it hears: a multiple of the 10 ms ticks at which the SDK produces audio
TONE_S = 1.2
TONE_HZ = 180.0
TONE_DBFS = -18.0
_HARMONICS = 20
_FADE_OUT_S = 0.005
_NO_PCM = np.zeros(0, np.int16)


@cache
def tone() -> TrimmedSpeech:
    """What the truth agent says: like a sung vowel, at full level from the first sample on."""
    time_s = np.arange(int(TONE_S * VOICE_RATE_HZ)) / VOICE_RATE_HZ
    harmonics = np.arange(1, _HARMONICS + 1)
    power = 1 / harmonics
    # Schroeder phases spread the power over the period, so that every millisecond is about equally loud.
    shares = np.concatenate(([0.0], np.cumsum(power / power.sum())))
    phases = 2 * np.pi * np.cumsum(shares)[:-1]
    wave = np.sqrt(power) @ np.cos(2 * np.pi * TONE_HZ * np.outer(harmonics, time_s) + phases[:, None])
    wave *= 10 ** (TONE_DBFS / 20) / np.sqrt((wave**2).mean())
    fade = int(_FADE_OUT_S * VOICE_RATE_HZ)
    wave[-fade:] *= np.linspace(1.0, 0.0, fade)
    return TrimmedSpeech((wave * 32767).astype(np.int16), 0, len(wave))


class TruthEar:
    """Recognises the fixtures only; any other audio gets no answer.

    Args:
        bank: The fixtures.
        executor: Where the searches run.
    """

    def __init__(self, bank: Bank, executor: Executor | None = None) -> None:
        self._finder = Finder(bank, executor)
        self._arrival = ArrivalClock(RATE_HZ)
        self._received = 0
        self._began = False

    def feed(self, frame: Pcm, at_ns: int) -> list[HearingEvent]:
        """See `ear.Hearing.feed`."""
        self._received += len(frame)
        self._arrival.arrived(self._received, at_ns)
        ended = self._finder.feed(frame)
        events: list[HearingEvent] = []
        match = self._finder.match
        if match is not None and not self._began:
            self._began = True
            events.append(Began(self._arrival.at_ns(match.origin + match.fixture.voiced_start)))
        if ended is not None:
            if not self._began:
                events.append(Began(self._arrival.at_ns(ended.start)))
            self._began = False
            events.append(
                UtteranceEnded(self._arrival.at_ns(ended.end), short=False, pcm=_NO_PCM, tick_ns=self._arrival.at_ns(0))
            )
        return events
