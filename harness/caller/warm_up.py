"""Does before the first call what is slow the first time: an import during a call would delay packets."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from harness.caller.prepare import Prepared
from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.voice_finder import VoiceFinder
from harness.measure.wer import word_error_rate


def warm_up(scenarios: Iterable[Prepared] = ()) -> None:
    """Loads the voice detector and the word error rate of the scenarios' languages, and runs them once."""
    noise = np.random.default_rng(0).normal(0, 10, SAMPLE_RATE).astype(np.int16)
    voice = (noise * 200).astype(np.int16)
    VoiceFinder().feed(np.concatenate([noise, voice, noise]))
    spoken = {speech.language for prepared in scenarios for speech in prepared.speech if speech is not None}
    for language in sorted({"en"} | spoken):
        word_error_rate("When do you open, at nine thirty?", "when do you open, at 9:30", language=language)
