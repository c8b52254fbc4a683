"""How alike in meaning two texts are: wordllama's static embeddings. Used inside the worker alone."""

from __future__ import annotations

from pathlib import Path


class Meaning:
    """Loaded from its own package; it would otherwise look for its tokenizer in another folder and on the network."""

    def __init__(self) -> None:
        import wordllama

        self._model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    def rank(self, question: str, sentences: list[str]) -> list[float]:
        """Cosine of the question and each sentence, about -0.2…1; 0 for a text without words."""
        told = [sentence for sentence in sentences if sentence.strip()]
        if not told or not question.strip():
            return [0.0] * len(sentences)
        vectors = self._model.embed([question, *told], norm=True)
        scores = iter(vectors[1:] @ vectors[0])
        return [float(next(scores)) if sentence.strip() else 0.0 for sentence in sentences]
