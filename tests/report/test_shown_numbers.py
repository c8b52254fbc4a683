"""How numbers are worded by their unit."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from harness.metrics.registry import METRICS
from harness.record.summary import MetricSummary, ThresholdResult
from harness.report import numbers
from harness.report.console import print_summary
from harness.report.numbers import is_level, is_ratio, metric_value, threshold_value
from tests.report.sample_run import sample_run

# Held against the page's own functions by its tests (Vitest).
CASES = Path(__file__).parents[2] / "harness" / "report" / "page" / "tests" / "numbers.json"


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("turn.ttfa{kind:say}", 1234.4, "1,234"),
        ("turn.dead_air", 4.25, "4.2"),
        ("turn.wer", 0.125, "0.125"),
        ("audio.loss", 0.0123, "1.2 %"),
        ("audio.loss", 0.00042, "0.042 %"),
        ("audio.loss", 0.0, "0.0 %"),
        ("audio.level_dbfs{scenario:x}", -23.44, "-23.4 dBFS"),
        ("audio.level_dbfs", None, "–"),  # noqa: RUF001 - the dash for no value
    ],
)
def test_a_metric_is_worded_by_its_unit(metric: str, value: float | None, shown: str) -> None:
    assert metric_value(metric, value).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_the_page_words_numbers_as_the_terminal_does() -> None:
    words: dict[str, Callable[..., str]] = {
        "milliseconds": numbers.milliseconds,
        "withMs": numbers.with_ms,
        "seconds": numbers.seconds,
        "wer": functools.partial(numbers.ratio, "turn.wer"),
        "percent": numbers.percent,
        "level": numbers.level,
        "timeOfDay": numbers.time_of_day,
    }
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    for name, value, shown in cases:
        assert words[name](value).replace("\N{NO-BREAK SPACE}", " ") == shown, (name, value)
    assert {name for name, _, _ in cases} == words.keys()


def threshold(metric: str, limit: str, value: float) -> str:
    judged = ThresholdResult.model_validate(
        {"metric": metric, "limit": limit, "value": value, "samples": 9, "ok": True}
    )
    return threshold_value(judged)


def test_a_threshold_is_worded_by_its_unit() -> None:
    assert threshold("audio.level_dbfs", "min>-35", -42.04).replace("\N{NO-BREAK SPACE}", " ") == "-42.0 dBFS"
    assert threshold("turn.ttfa{kind:say}", "count<1000000", 123456.0) == "123,456"
    assert threshold("turn.interrupted", "rate<0.1", 0.25) == "0.25"
    assert threshold("turn.interrupted", "rate<10%", 0.25).replace("\N{NO-BREAK SPACE}", " ") == "25.0 %"
    assert threshold("audio.rtt", "max<100ms", 20.0).replace("\N{NO-BREAK SPACE}", " ") == "20 ms"


def test_the_terminal_shows_numbers_as_all_reports_do(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    assert run.summary is not None
    out = io.StringIO()
    print_summary(Console(file=out, width=160, color_system=None), run.summary, run.calls, run.folder)
    terminal = {line.split()[0]: " ".join(line.split()[1:]) for line in out.getvalue().splitlines() if line.split()}
    for name, metric in run.summary.metrics.items():
        if not isinstance(metric, MetricSummary):
            continue
        for value in (metric.p50, metric.max):
            shown = metric_value(name, value).replace("\N{NO-BREAK SPACE}", " ")
            assert shown in terminal[name], f"{name}: {shown}"


def test_every_metric_has_one_unit() -> None:
    assert {name for name in METRICS if is_level(name)} == {"audio.level_dbfs"}
    assert not any(is_level(name) and is_ratio(name) for name in METRICS)
