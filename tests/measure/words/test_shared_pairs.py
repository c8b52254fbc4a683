"""Right and wrong transcripts in six languages, as services send them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.measure.wer import word_error_rate

FILE = Path(__file__).parents[2] / "files" / "wer_pairs.json"
PAIRS = [
    (pair["said"], pair["heard"], pair["language"], pair["rate"])
    for pair in json.loads(FILE.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("said", "heard", "language", "rate"), PAIRS)
def test_each_pair_counts_what_differs(said: str, heard: str, language: str, rate: float) -> None:
    found = word_error_rate(said, heard, language=language)
    assert found is not None
    assert found.rate == rate, found
