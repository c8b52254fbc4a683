"""Which of the voices speaks like a reference, and how its pitch and pace are shifted. Pure functions.

This clones no voice: timbre, accent and melody stay those of the chosen one. The voices' own pitch and pace are
constants, because neither Piper nor espeak-ng renders a text to the same samples every time: the choice stays the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.stack.reference_voice.measured import Measured
from harness.stack.speech.voice_names import JOE, is_english

JOE_NATURAL = Measured(pitch_hz=93.0, pace=5.3)
# The median pitch in Hz, nearly the same in all languages that have no tones.
ESPEAK_PITCHES_HZ = {
    "espeak": 100.0,
    "espeak:m3": 103.0,
    "espeak:f4": 177.0,
    "espeak:f2": 191.0,
    "espeak:f3": 208.0,
    "espeak:linda": 227.0,
    "espeak:Annie": 241.0,
}
# Syllables a second, as `measured` counts them.
ESPEAK_PACES = {"en": 5.4, "de": 5.4, "es": 6.1, "fr": 6.1, "it": 7.0, "nl": 5.3, "pt": 6.1}
OTHER_PACE = 5.5
ESPEAK_PACE_POWER = 1.3  # it also shortens sounds to nothing: of 1.4 times its rate, 1.3 times the syllables are heard

# How far a voice is shifted. joe's pitch is shifted by resampling, which also moves the resonances of the mouth.
JOE_PITCH, JOE_PACE = (0.85, 1.2), (0.75, 1.25)
ESPEAK_PITCH, ESPEAK_PACE = (0.75, 1.35), (0.6, 1.6)


@dataclass(frozen=True, slots=True)
class VoiceLike:
    """A voice like a reference's.

    Attributes:
        voice: The voice, `joe`, `espeak` or `espeak:VARIANT`.
        pitch: The factor by which its pitch is raised.
        pace: The factor by which it speaks faster.
        speaks: The pitch and pace that it has with these factors.
    """

    voice: str
    pitch: float
    pace: float
    speaks: Measured

    @property
    def name(self) -> str:
        """The voice's full name (`speech/voice_names.py`), which is part of every key of cached speech."""
        return f"{self.voice}@{self.pitch:.2f},{self.pace:.2f}"


def voice_like(reference: Measured, language: str) -> VoiceLike:
    """The voice that speaks `language` most like the reference.

    joe is chosen for English if it can be shifted to the reference; otherwise the variant of espeak-ng whose pitch is
    nearest.
    """
    pitch, pace = reference.pitch_hz / JOE_NATURAL.pitch_hz, reference.pace / JOE_NATURAL.pace
    if is_english(language) and (pitch, pace) == (_within(pitch, JOE_PITCH), _within(pace, JOE_PACE)):
        return VoiceLike(JOE, round(pitch, 2), round(pace, 2), reference)
    voice = min(ESPEAK_PITCHES_HZ, key=lambda name: abs(math.log(ESPEAK_PITCHES_HZ[name] / reference.pitch_hz)))
    own = Measured(ESPEAK_PITCHES_HZ[voice], ESPEAK_PACES.get(_base(language), OTHER_PACE))
    pitch = _within(reference.pitch_hz / own.pitch_hz, ESPEAK_PITCH)
    pace = _within((reference.pace / own.pace) ** ESPEAK_PACE_POWER, ESPEAK_PACE)
    speaks = Measured(own.pitch_hz * pitch, own.pace * pace ** (1 / ESPEAK_PACE_POWER))
    return VoiceLike(voice, round(pitch, 2), round(pace, 2), speaks)


def _base(language: str) -> str:
    return language.strip().lower().replace("_", "-").split("-")[0]


def _within(factor: float, bounds: tuple[float, float]) -> float:
    return min(max(factor, bounds[0]), bounds[1])
