"""What a person sees of where a voice is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.hearing.second_look import second_look
from harness.utterances.find import find_fixture
from harness.utterances.picture import WIDTH, bar, picture_of

RATE = 48_000


def test_the_bar_is_high_where_it_is_loud_and_marks_words_and_other_sounds() -> None:
    pcm = np.zeros(48 * RATE // 10, np.int16)  # ten cells a second
    pcm[RATE : 2 * RATE] = 10_000
    pcm[3 * RATE : 3 * RATE + RATE // 2] = 1_000
    shown = bar(pcm, (RATE, 2 * RATE), [(3 * RATE, 3 * RATE + RATE // 2)])
    assert shown == " " * 10 + "[" + "█" * 10 + "]" + " " * 10 + "(▅▅▅▅▅)" + " " * 13
    assert len(shown) == WIDTH + 4


def test_where_two_methods_agree_nothing_is_said() -> None:
    for name in ("when-do-you-open", "fr-merci", "cough"):
        assert picture_of(find_fixture(name, Path("/"))).doubts == [], name


def test_where_they_differ_by_over_150_ms_it_is_said() -> None:
    said = find_fixture("when-do-you-open", Path("/"))
    early = picture_of(replace(said, voiced_end=said.voiced_end - 12_000))
    assert len(early.doubts) == 1
    assert "the voice ends" in early.doubts[0]
    assert "ms later" in early.doubts[0]
    assert second_look(said.pcm, said.voiced_start, said.voiced_end) == []
    assert any("begins" in told and "earlier" in told for told in second_look(said.pcm, 24_000, said.voiced_end))


def test_what_was_taken_for_no_word_is_told() -> None:
    said = find_fixture("when-do-you-open", Path("/"))
    rng = np.random.default_rng(1)
    breath = (400 * rng.normal(size=19_200) * np.hanning(19_200)).astype(np.int16)
    pcm = np.concatenate([said.pcm, np.zeros(24_000, np.int16), breath, np.zeros(9_600, np.int16)])
    look = picture_of(replace(said, pcm=pcm))
    assert "(" in look.line
    assert any("was taken for no word" in doubt for doubt in look.doubts)


def test_a_file_of_nothing_is_shown_as_well() -> None:
    assert bar(np.zeros(0, np.int16), (0, 0)).count("[") == 0
    assert second_look(np.zeros(4_800, np.int16), 0, 4_800)[0].startswith("a second method")
