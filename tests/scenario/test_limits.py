"""The one grammar of limits, of thresholds on the command line, and of durations."""

from __future__ import annotations

import pytest

from harness.scenario.limits import parse_limit, parse_threshold, parse_time_limit
from harness.scenario.metric_names import METRICS, RATES, check_threshold, parse_metric, parse_threshold_option
from harness.scenario.units import duration_s


@pytest.mark.parametrize(
    ("text", "held", "not_held"),
    [
        ("<2s", 1999.9, 2000),
        ("2s", 1999.9, 2000),
        ("<=2s", 2000, 2000.1),
        ("  <  1.5 s ", 1499, 1500),
        (">300ms", 301, 300),
        (">=300ms", 300, 299),
        ("<1m", 59_999, 60_000),
        ("<1min", 59_999, 60_000),
        ("<1h", 3_599_999, 3_600_000),
        ("==5ms", 5, 6),
        ("!=5ms", 6, 5),
        ("<=0.3", 0.3, 0.31),
        ("<.5", 0.4, 0.5),
        (0.3, 0.2, 0.3),
        (2, 1, 2),
    ],
)
def test_a_limit_holds_on_its_own_side_alone(text: str | float, held: float, not_held: float) -> None:
    limit = parse_limit(text)
    assert limit.holds(held)
    assert not limit.holds(not_held)


@pytest.mark.parametrize(
    "text", ["", "soon", "<", "<2sec", "2 2s", "<-1s", "<-0.3", "=<2s", "<2s or so", "p(95)<2s", "max<2s", True]
)
def test_what_is_no_limit_of_a_single_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no limit|unknown unit|has an aggregate|negative"):
        parse_limit(text)


def test_a_time_needs_its_unit() -> None:
    with pytest.raises(ValueError, match="has no unit; write <2s or <2ms"):
        parse_time_limit("2")


@pytest.mark.parametrize(
    ("text", "aggregate", "percentile", "value"),
    [
        ("p(95)<1500ms", "p(95)", 95, 1500),
        ("p( 99.9 ) <= 2s", "p(99.9)", 99.9, 2000),
        ("med<1s", "med", None, 1000),
        ("avg<1s", "avg", None, 1000),
        ("min>100ms", "min", None, 100),
        ("max<1m", "max", None, 60_000),
        ("rate<0.01", "rate", None, 0.01),
        ("count>=5", "count", None, 5),
    ],
)
def test_a_threshold_says_of_what(text: str, aggregate: str, percentile: float | None, value: float) -> None:
    limit = parse_threshold(text)
    assert (limit.aggregate, limit.percentile, limit.value) == (aggregate, percentile, value)
    assert parse_threshold(str(limit)) == limit, "what run.json says must be read back as the same"


@pytest.mark.parametrize("text", ["p(0)<2s", "p(101)<2s", "p95<2s", "mean<2s", "2s", "p()<2s", "P(95)<2s"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 100|is no limit|unknown aggregate|says not of what"):
        parse_threshold(text)


@pytest.mark.parametrize(
    "text",
    ["turn.ttfa: p(95)<1500ms", "turn.ttfa p(95)<1500ms", "turn.ttfa=p(95)<1500ms", " turn.ttfa:p(95)<1500ms"],
)
def test_a_threshold_of_the_command_line_is_read(text: str) -> None:
    assert parse_threshold_option(text) == ("turn.ttfa", "p(95)<1500ms")


def test_a_threshold_of_the_command_line_may_have_tags() -> None:
    assert parse_threshold_option("turn.ttfa{kind:say}: max<2s") == ("turn.ttfa{kind:say}", "max<2s")
    with pytest.raises(ValueError, match=r"did you mean 'turn\.ttfa'"):
        parse_threshold_option("turn.tfa: max<2s")
    with pytest.raises(ValueError, match="is no threshold"):
        parse_threshold_option("<2s")


def test_every_metric_can_be_named_in_a_threshold_and_read_back_with_its_tags() -> None:
    for name, unit in METRICS.items():
        limit = "rate<0.1" if name in RATES else {"ms": "max<1s", "ratio": "max<0.5", "dBFS": "min>-30"}[unit]
        ref, _ = check_threshold(f"{name}{{scenario:a.b-c}}", limit)
        assert parse_metric(str(ref)) == ref


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("1.5s", 1.5), ("5m", 300), ("5min", 300), ("1h", 3600), (".5s", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["2", "", "s", "-2s", "2 days", "two seconds", "1s 2ms"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no unit|no duration|unknown unit"):
        duration_s(text)
