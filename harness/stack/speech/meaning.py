"""Semantic similarity of texts: wordllama's static embeddings. Used in the worker only."""

from __future__ import annotations

from pathlib import Path


class Meaning:
    """The embeddings, from their own package: by default wordllama looks for its tokenizer elsewhere and online."""

    def __init__(self) -> None:
        import wordllama

        self._model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    def rank(self, question: str, sentences: list[str]) -> list[float]:
        """Cosine similarity of the question and each sentence, about -0.2…1; 0 for a text without words."""
        told = [sentence for sentence in sentences if sentence.strip()]
        if not told or not question.strip():
            return [0.0] * len(sentences)
        vectors = self._model.embed([question, *told], norm=True)
        scores = iter(vectors[1:] @ vectors[0])
        return [float(next(scores)) if sentence.strip() else 0.0 for sentence in sentences]
