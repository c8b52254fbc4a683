"""Right and wrong transcripts in six languages, as services send them."""

from __future__ import annotations

import pytest

from harness.measure.wer import word_error_rate

PAIRS = [
    ("दुकान कब खुलती है", "दुकान कब खुलता है", "hi", 0.25),
    ("你们星期天几点开门", "你们 星期天 几点 开门", "zh", 0),
    ("何時に開きますか", "何時 に 開き ます か", "ja", 0),
    ("مَتَى تَفْتَحُونَ", "متى تفتحون", "ar", 0),
    ("Are you open at nine thirty on Sunday?", "Are you open at 9:30 on Sunday?", "en", 0),
    ("My number is five five five, one two three four.", "My number is 555-1234.", "en", 0),
    ("I don't know what's open", "I don\u2019t know what\u2019s open", "en", 0),
    ("ninth of May", "9th of May", "en", 0),
    ("Are you open (daily)?", "are you open daily", "en", 0),
    ("Are you open (daily)?", "are you open", "en", 0.25),
]


@pytest.mark.parametrize(("said", "heard", "language", "rate"), PAIRS)
def test_each_pair_counts_what_differs(said: str, heard: str, language: str, rate: float) -> None:
    found = word_error_rate(said, heard, language=language)
    assert found is not None
    assert found.rate == rate, found
