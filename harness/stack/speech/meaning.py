"""Semantic similarity of texts: wordllama's static embeddings. Used in the worker only."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EMBEDDED_AT_ONCE = 256  # a short question does not wait for a whole document


class Meaning:
    """The embeddings, from their own package: by default wordllama looks for its tokenizer elsewhere and online."""

    def __init__(self) -> None:
        import wordllama

        self._lock = threading.Lock()
        self._model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    def rank(self, question: str, sentences: list[str]) -> list[float]:
        """Cosine similarity of the question and each sentence, about -0.2…1; 0 for a text without words."""
        vectors = self.vectors([question, *sentences])
        return [float(score) for score in vectors[1:] @ vectors[0]]

    def vectors(self, texts: list[str]) -> NDArray[np.float32]:
        """The embedding of each text, of length 1; zeros for a text without words: `(texts, dimensions)`."""
        vectors = np.zeros((len(texts), self._model.embedding.shape[1]), np.float32)
        filled = [at for at, text in enumerate(texts) if text.strip()]
        for start in range(0, len(filled), EMBEDDED_AT_ONCE):
            some = filled[start : start + EMBEDDED_AT_ONCE]
            with self._lock:
                vectors[some] = self._model.embed([texts[at] for at in some], norm=True)
        return np.nan_to_num(vectors, copy=False)
