"""The one grammar of limits, of thresholds on the command line, and of durations."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.metrics.registry import METRICS
from harness.metrics.threshold import (
    check_threshold,
    parse_metric,
    parse_threshold_option,
    read_threshold,
)
from harness.parsing.durations import DurationError, duration_s
from harness.parsing.limits import Limit, parse_threshold, parse_time_limit, parse_word_error_limit
from harness.scenario.load import load_scenario


@pytest.mark.parametrize(
    ("text", "held", "not_held"),
    [
        ("<2s", 1999.9, 2000),
        ("2s", 1999.9, 2000),
        ("<=2s", 2000, 2000.1),
        ("  <  1.5 s ", 1499, 1500),
        ("<1m30s", 89_999, 90_000),
        ("<=30%", 0.3, 0.301),
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
    ],
)
def test_a_limit_holds_on_its_own_side_alone(text: str | float, held: float, not_held: float) -> None:
    parse = parse_time_limit if any(map(str.isalpha, str(text))) else parse_word_error_limit
    limit = parse(text)
    assert limit.holds(held)
    assert not limit.holds(not_held)


@pytest.mark.parametrize("parse", [parse_time_limit, parse_word_error_limit])
@pytest.mark.parametrize(
    "text", ["", "soon", "<", "<2sec", "2 2s", "<-1s", "<-0.3", "=<2s", "<2s or so", "p(95)<2s", "max<2s", True]
)
def test_what_is_no_limit_of_a_single_value_is_refused(parse: Callable[[str], Limit], text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid limit|unknown unit|has an aggregate|negative"):
        parse(text)


def test_a_time_needs_its_unit() -> None:
    with pytest.raises(ValueError, match="has no unit; write <2s or <2ms"):
        parse_time_limit("2")


def test_a_limit_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="is a percentage, but must be a time"):
        parse_time_limit("<30%")
    with pytest.raises(ValueError, match="is a time, but must be a ratio"):
        parse_word_error_limit("<2s")
    with pytest.raises(ValueError, match="the time is too large"):
        parse_time_limit(f"<{'9' * 400}s")


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
        ("rate<1%", "rate", None, 0.01),
        ("p(95)<1m30s", "p(95)", 95, 90_000),
        ("count>=5", "count", None, 5),
    ],
)
def test_a_threshold_says_of_what(text: str, aggregate: str, percentile: float | None, value: float) -> None:
    limit = parse_threshold(text)
    assert (limit.aggregate, limit.percentile, limit.value) == (aggregate, percentile, value)
    assert parse_threshold(str(limit)) == limit, "what run.json says must be read back as the same"


@pytest.mark.parametrize("text", ["p(0)<2s", "p(101)<2s", "p95<2s", "mean<2s", "2s", "p()<2s", "P(95)<2s"])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"above 0 and at most 100|is not a valid limit|unknown aggregate|has no aggregate"
    ):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("name", "limit", "says"),
    [
        ("calls.failed", "rate<1", "did you mean rate<1%?"),
        ("calls.failed", "rate<=1", "did you mean rate<=1%?"),
        ("calls.failed", "rate<5", "did you mean rate<5%?"),
        ("calls.failed", "rate<200%", "is always met"),
        ("calls.failed", "rate<0", "can never be met"),
        ("calls.failed", "rate>=0", "is always met"),
        ("calls.failed", "rate>1", "can never be met"),
        ("calls.failed", "count<0", "can never be met"),
        ("calls.failed", "count>=0", "is always met"),
        ("calls.failed", "count<5%", "per cent"),
        ("turn.wer", "avg<=30", "did you mean avg<=30%?"),
        ("turn.wer", "max<150%", "not a valid limit on a word error rate"),
        ("turn.ttfa", "p(95)<0", "no unit"),
        ("turn.ttfa", "p(95)<0s", "can never be met"),
        ("turn.ttfa", "p(95)>=0ms", "is always met"),
        ("turn.ttfa", "p(95)<2000", "write p(95)<2000ms or p(95)<2000s"),
        ("turn.ttfa", "p(95)<5%", "is a percentage"),
        ("audio.loss", "max<1", "only if everything fails"),
        ("audio.loss", "max<=1", "is always met"),
        ("audio.level_dbfs", "min>0", "can never be met"),
        ("audio.level_dbfs", "max<=0", "is always met"),
        ("audio.level_dbfs", "min>-30%", "no limit|is a level|negative"),
        ("audio.level_dbfs", "min>2s", "written without a unit, but min>2s is a time"),
        ("calls.failed", "max<5", "is a share; write rate<5%"),
        ("calls.failed", "max<0.5", "is a share; write rate<0.5 or rate<0.5%"),
        ("turn.ttfa", "rate<2", "has no rate; write p(95)<2s or max<2s"),
        ("turn.wer", "avg<2s", "is a ratio, but avg<2s is a time"),
    ],
)
def test_a_limit_that_every_sample_holds_or_none_is_refused(name: str, limit: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
        check_threshold(name, limit)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("calls.failed", "rate<1%"),
        ("calls.failed", "rate<=0"),
        ("calls.failed", "rate==0"),
        ("calls.failed", "count<1"),
        ("turn.wer", "avg<=30%"),
        ("turn.wer", "max<=1"),
        ("turn.ttfa", "p(95)<1m30s"),
        ("turn.ttfa", "min>0ms"),
        ("audio.loss", "max<0.5%"),
        ("audio.level_dbfs", "min>-30"),
    ],
)
def test_a_limit_that_can_fail_and_can_hold_is_taken(name: str, limit: str) -> None:
    assert str(check_threshold(name, limit)[1]) == limit


def test_a_recorded_threshold_is_read_as_it_was_judged() -> None:
    assert read_threshold("calls.failed", "rate<=1")[1].holds(1)


@pytest.mark.parametrize("text", ["<=30", "<1.5", "<0"])
def test_a_limit_of_a_word_error_rate_lies_below_1(text: str, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"turns:\n  - say: hello\n    expect: {{wer: {text}}}\n")
    with pytest.raises(ScenarioError):
        load_scenario(file)


def test_a_hint_is_a_limit_that_is_taken() -> None:
    with pytest.raises(ValueError, match="write <2s"):
        parse_time_limit("p(95)<2s")


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
    with pytest.raises(ValueError, match="is not a valid threshold"):
        parse_threshold_option("<2s")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("2s", "is not a metric; write for example turn.ttfa"),
        ("turn.ttfa{engine:sdk}", "has no tag 'engine:sdk'; its tags are "),
        ("turn.ttfa{kind}", "has no tag 'kind'"),
        ("turn.ttfa{kind:say,kind:type}", "has the tag kind twice; write it once"),
        ("turn.ttfa{kind:tipe}", "unknown kind 'tipe'; did you mean 'type'?"),
        ("turn.ttfa{kind:42}", "unknown kind '42'; use one of say, "),
    ],
)
def test_a_name_or_a_tag_that_there_is_not_is_refused_with_those_that_there_are(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_metric(name)


def test_every_metric_can_be_named_in_a_threshold_and_read_back_with_its_tags() -> None:
    for name, metric in METRICS.items():
        of_unit = {"ms": "max<1s", "ratio": "max<0.5", "dBFS": "min>-30"}
        limit = "rate<0.1" if metric.is_rate else of_unit[metric.unit]
        ref, _ = check_threshold(f"{name}{{scenario:a.b-c}}", limit)
        assert parse_metric(str(ref)) == ref


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("2s", 2),
        ("1.5s", 1.5),
        ("5m", 300),
        ("5min", 300),
        ("1h", 3600),
        (".5s", 0.5),
        ("1m30s", 90),
        ("1h2m3s", 3723),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["2", "", "s", "-2s", "2 days", "two seconds", "1s 2ms", "30s1m", "1s1s", "1m30"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError, match=r"no unit|not a valid duration|unknown unit"):
        duration_s(text)


def test_the_advice_of_a_wrong_duration_is_apart_from_what_is_wrong() -> None:
    with pytest.raises(DurationError) as raised:
        duration_s("5")
    assert raised.value.what == "'5' has no unit"
    assert str(raised.value) == "'5' has no unit; write 5s or 5ms"
