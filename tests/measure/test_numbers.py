"""Word error rates, percentiles, levels: small numbers that everything else rests on."""

from __future__ import annotations

import pytest

from harness.measure.level import SILENCE_DBFS, power_dbfs
from harness.measure.percentiles import percentile, shown_percentile
from harness.measure.wer import word_error_rate


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("When do you open?", "when do you open", 0),
        ("When do you open?", "when do you close", 0.25),
        ("When do you open?", "", 1),
        ("open", "do you open now", 3),
        ("twenty one euros", "21 euros", 0),
        ("I'm here", "I am here", 0),
    ],
)
def test_word_error_rate(reference: str, hypothesis: str, rate: float) -> None:
    found = word_error_rate(reference, hypothesis)
    assert found is not None
    assert found.rate == pytest.approx(rate, abs=1e-4)


def test_word_error_rate_of_other_languages_and_of_nothing() -> None:
    german = word_error_rate("Wann öffnen Sie?", "wann öffnen sie", language="de-DE")
    assert german is not None
    assert german.rate == 0
    assert word_error_rate("", "Thanks.") is None
    assert word_error_rate("?!", "Thanks.") is None


def test_a_percentile_is_withheld_where_too_few_samples_carry_it() -> None:
    values = [float(value) for value in range(1, 20)]
    assert shown_percentile(values, 50) == 10
    assert shown_percentile(values, 95) is None
    assert shown_percentile([*values, 20.0], 95) == pytest.approx(19.05)
    assert shown_percentile(values[:9], 90) is None
    assert shown_percentile(values * 5, 99) is None
    assert shown_percentile(values * 6, 99) == 19


def test_a_threshold_takes_a_percentile_of_any_number_of_samples() -> None:
    assert percentile([7.0], 95) == 7
    assert percentile([1.0, 2.0], 50) == 1.5


def test_levels_are_relative_to_full_scale() -> None:
    assert power_dbfs(32768.0**2) == 0
    assert power_dbfs(3276.8**2) == pytest.approx(-20)
    assert power_dbfs(0) == power_dbfs(1e-9) == SILENCE_DBFS
