"""Word error rates, percentiles, levels: small numbers that everything else rests on."""

from __future__ import annotations

import pytest

from harness.hearing.level import SILENCE_DBFS, power_dbfs
from harness.measure.wer import word_error_rate
from harness.metrics.percentiles import is_largest, percentile
from harness.metrics.survival import shown_percentile, survival_mean, survival_percentile


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
    assert shown_percentile([*values, 20.0], 95) == 19
    assert shown_percentile(values[:9], 90) is None
    assert shown_percentile(values * 5, 99) is None
    assert shown_percentile(values * 6, 99) == 19


def test_a_threshold_takes_a_percentile_of_any_number_of_samples() -> None:
    assert percentile([7.0], 95) == 7
    assert percentile([1.0, 2.0], 50) == 1


def test_a_percentile_is_a_value_that_was_measured_and_of_few_the_largest() -> None:
    values = [1000.0, 1100.0, 1200.0, 2400.0]
    assert percentile(values, 95) == 2400
    assert is_largest(len(values), 95)
    assert is_largest(19, 95)
    assert not is_largest(20, 95)


def test_without_cut_waits_the_survival_percentile_is_the_nearest_rank() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    for share in (1, 20, 50, 80, 95, 100):
        assert survival_percentile(values, [], share) == percentile(values, share)
    assert survival_mean(values, []) == 3


def test_waits_that_were_cut_count_as_at_least_so_long() -> None:
    # Textbook: 6-MP of Freireich et al. 1963, weeks of remission; the median is 23 (Kaplan-Meier).
    values = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    cut = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    assert survival_percentile(values, cut, 50) == 23
    assert survival_percentile(values, cut, 60) is None
    assert survival_mean([1.0], [3.0]) == 2  # half of them are over after 1, the other half is known for 3


def test_levels_are_relative_to_full_scale() -> None:
    assert power_dbfs(32768.0**2) == 0
    assert power_dbfs(3276.8**2) == pytest.approx(-20)
    assert power_dbfs(0) == power_dbfs(1e-9) == SILENCE_DBFS
