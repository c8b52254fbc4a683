"""The audio of the onset bench: voices, noises, bands and codecs, all from one seed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from human_speech import RATE as HUMAN_RATE
from human_speech import NoHumanSpeechError, human_speech
from numpy.typing import NDArray

from harness.audio_files.pcm import resampled
from harness.calibrate.noise import at_level, noise
from harness.calibrate.onset import shipped_voices
from harness.calibrate.placed_speech import Wave, as_pcm, cut_sharp
from harness.hearing.level import FULL_SCALE

SEED = 12
RATE = 48_000
HUMANS_PER_LANGUAGE = 8
USUAL_DBFS, QUIET_DBFS = -23.0, -35.0
MOST_S = 2.5
TELEPHONE_RATE = 8_000
OFFSET = 0.02 * FULL_SCALE
BABBLERS = 8
ALONE_S = 600.0

Noise = Literal["none", "white", "pink", "hum", "babble", "office", "street", "music"]
Kind = Literal["usual", "telephone", "opus", "quiet", "offset"]


@dataclass(frozen=True, slots=True)
class Condition:
    """How it sounds: `kind` is what was done to the speech, or to speech and noise together."""

    kind: Kind
    noise: Noise
    noise_dbfs: float | None = None

    def __str__(self) -> str:
        level = "" if self.noise_dbfs is None else f" {self.noise_dbfs:g} dBFS"
        return f"{self.kind}, {self.noise}{level}"


USUAL = [
    Condition("usual", "none"),
    *(Condition("usual", kind, level) for kind in ("white", "pink") for level in (-70.0, -60.0, -50.0, -45.0, -40.0)),
    *(Condition("usual", kind, level) for kind in ("hum", "babble") for level in (-60.0, -50.0, -40.0)),
]
OTHER = [
    Condition("telephone", "none"),
    Condition("telephone", "pink", -50.0),
    Condition("opus", "none"),
    Condition("opus", "pink", -50.0),
    Condition("quiet", "none"),
    Condition("quiet", "pink", -60.0),
    Condition("offset", "none"),
    Condition("offset", "pink", -60.0),
]


@dataclass(frozen=True, slots=True)
class Voices:
    """Recordings cut sharp, at 48 kHz; `human` says how many are of people, `why_none` why there are none."""

    waves: Sequence[Wave]
    babblers: Sequence[Wave]
    human: int
    why_none: str


def all_voices(level_dbfs: float, *, telephone: bool = False) -> Voices:
    """The shipped fixtures, and human speech where it can be had; cut after what a telephone leaves of it."""
    waves = list(shipped_voices(level_dbfs))
    try:
        recordings = human_speech(HUMANS_PER_LANGUAGE, seed=SEED)
        why_none = ""
    except NoHumanSpeechError as error:
        recordings, why_none = [], str(error)
    if telephone:
        cuts = [cut_sharp(_narrowed(wave), level_dbfs=level_dbfs, most_s=MOST_S) for wave in waves]
        waves = [cut for cut in cuts if cut is not None]
    people: list[Wave] = []
    for recording in recordings:
        wave = resampled(recording, HUMAN_RATE, RATE) * np.float32(FULL_SCALE)
        cut = cut_sharp(_narrowed(wave) if telephone else wave, level_dbfs=level_dbfs, most_s=MOST_S)
        people += [] if cut is None else [cut]
    return Voices(waves + people, (people or waves)[:: max(1, len(people or waves) // BABBLERS)], len(people), why_none)


def heard(clean: Wave, condition: Condition, voices: Voices, rng: np.random.Generator) -> NDArray[np.int16]:
    """What a detector gets: the speech with its noise, coded and decoded where the condition says so."""
    wave = clean
    if condition.noise_dbfs is not None:
        wave = wave + _noise(condition.noise, condition.noise_dbfs, wave.size, voices, rng)
    if condition.kind == "telephone":
        wave = _narrowed(wave)
    elif condition.kind == "opus":
        wave = _through_opus(as_pcm(wave)) * np.float32(FULL_SCALE)
    elif condition.kind == "offset":
        wave = wave + np.float32(OFFSET)
    return as_pcm(wave)


def _narrowed(wave: Wave) -> Wave:
    """What is left below 4 kHz."""
    narrow = resampled(resampled(wave, RATE, TELEPHONE_RATE), TELEPHONE_RATE, RATE)
    return np.pad(narrow, (0, max(0, wave.size - narrow.size)))[: wave.size]


def _noise(kind: Noise, level_dbfs: float, size: int, voices: Voices, rng: np.random.Generator) -> Wave:
    if kind == "babble":
        return at_level(_babble(voices.babblers, size, rng), level_dbfs)
    assert kind != "none"
    return noise(kind, level_dbfs, size, rng)


def _babble(voices: Sequence[Wave], size: int, rng: np.random.Generator) -> Wave:
    """Several people who speak without a pause, each from another place in what they say."""
    mixed = np.zeros(size, np.float32)
    for index in range(BABBLERS):
        said = np.concatenate([voices[one % len(voices)] for one in range(index, index + len(voices))])
        mixed += np.resize(np.roll(said, int(rng.integers(said.size))), size)
    return mixed


def _through_opus(pcm: NDArray[np.int16]) -> Wave:
    """Coded and decoded by libsndfile's libopus, whose look-ahead the Ogg header takes out again."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, pcm, RATE, format="OGG", subtype="OPUS")
    file.seek(0)
    decoded: Wave = soundfile.read(file, dtype="float32")[0]
    return np.pad(decoded, (0, max(0, pcm.size - decoded.size)))[: pcm.size]
