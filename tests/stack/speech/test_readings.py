from __future__ import annotations

import pytest

from harness.stack.speech.readings import Reading, likeliest


def test_a_near_tie_is_decided_by_the_words_of_the_trade() -> None:
    heard = [Reading("When do you open on Wed days?", -1.0), Reading("When do you open on weekdays?", -1.8)]
    assert likeliest(heard, ["weekdays", "morning"]).text == "When do you open on weekdays?"
    assert likeliest(heard, ["invoice"]).text == "When do you open on Wed days?"
    assert likeliest(heard).text == "When do you open on Wed days?"


def test_what_was_clearly_said_is_not_talked_into_the_trade() -> None:
    heard = [Reading("Yes, please.", -0.3), Reading("Guests, please.", -6.0)]
    assert likeliest(heard, ["guests"]).text == "Yes, please."


def test_readings_that_sound_alike_count_together() -> None:
    heard = [Reading("Is there a wife I?", -1.0), Reading("Is there Wi-Fi?", -1.3), Reading("is there wifi", -1.4)]
    assert likeliest(heard).text == "Is there Wi-Fi?"


@pytest.mark.parametrize("spelt", ["wifi", "Wi-Fi", "WiFi"])
def test_a_word_is_known_in_any_spelling(spelt: str) -> None:
    heard = [Reading("Is there a wife?", -1.0), Reading("Is there Wi-Fi?", -2.0)]
    assert likeliest(heard, [spelt]).text == "Is there Wi-Fi?"


def test_readings_without_words_or_hope_are_taken_as_they_are() -> None:
    assert likeliest([Reading("...", -0.1)], ["weekdays"]).text == "..."
    assert likeliest([Reading("one", -5000.0), Reading("two", -6000.0)]).text == "one"
