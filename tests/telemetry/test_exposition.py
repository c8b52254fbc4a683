"""What is exposed against what the run came to."""

from __future__ import annotations

import json

import pytest
from prometheus_client import generate_latest

from harness.metrics.registry import METRICS
from harness.record.result import CallResult
from harness.record.run_directory import read_run
from harness.telemetry.exposition import MOST_SCENARIOS, OTHERS, Exposition
from harness.telemetry.families import FAMILIES, counted_in, distribution, happened
from tests.telemetry.exported import Samples, read_samples, total
from tests.telemetry.growing import RECORDED, RUNS


def exposed(*calls: CallResult) -> Samples:
    """What a scrape gives after these calls."""
    exposition = Exposition()
    for call in calls:
        exposition.add(call)
    return read_samples(generate_latest(exposition.registry).decode())


def ended(scenario: str = "s", **more: object) -> CallResult:
    """A call that passed."""
    told = {"call": "0001", "scenario": scenario, "started": "2026-01-01T00:00:00.000Z", "ok": True}
    return CallResult.model_validate(told | more)


@pytest.mark.parametrize("name", RUNS)
def test_the_counters_of_a_run_are_the_numbers_of_its_summary(name: str) -> None:
    run = read_run(RECORDED / name)
    summary = json.loads((RECORDED / name / "summary.json").read_text(encoding="utf-8"))
    samples = exposed(*run.calls)
    assert total(samples, "voice_calls_total", outcome="ok") == summary["calls"]["ok"]
    assert total(samples, "voice_calls_total", outcome="failed") == summary["calls"]["failed"]
    assert total(samples, "voice_calls_total", outcome="cut") == summary["calls"]["cut"]
    for kind, count in summary["failures"].items():
        assert total(samples, "voice_call_failures_total", kind=kind) == count
    assert total(samples, "voice_call_failures_total") == sum(summary["failures"].values())
    for metric in METRICS.values():
        told = summary["metrics"].get(metric.name, {"count": 0, "failed": 0, "censored": 0})
        if metric.is_rate:
            assert total(samples, counted_in(metric).name) == told["count"], metric.name
            assert total(samples, happened(metric).name) == told["failed"], metric.name
        else:
            family = distribution(metric).name
            assert total(samples, f"{family}_count") == told["count"] - told["censored"], metric.name
            if f"{family}_sum" in distribution(metric).series and told["count"] and not told["censored"]:
                mean = total(samples, f"{family}_sum") / told["count"] / distribution(metric).per_unit
                assert mean == pytest.approx(told["mean"], abs=1e-3), metric.name


def test_a_hostile_name_of_a_scenario_is_one_label_and_no_more() -> None:
    name = 'a"} 1\nvoice_calls_total{outcome="ok",scenario="b\\'
    samples = exposed(ended(name + "\x1b[2J\u202e" + "x" * 500))
    series = [tags for (found, tags) in samples if found == "voice_calls_total"]
    assert len(series) == 1
    (label,) = [value for key, value in series[0] if key == "scenario"]
    assert label.startswith('a"} 1 voice_calls_total{outcome="ok",scenario="b\\')
    assert len(label) <= 100
    assert "\x1b" not in label
    assert "\u202e" not in label


def test_the_number_of_series_is_bounded_whatever_the_number_of_scenarios() -> None:
    samples = exposed(*(ended(f"scenario-{number}") for number in range(2 * MOST_SCENARIOS)))
    series = [tags for (found, tags) in samples if found == "voice_calls_total"]
    assert len(series) == MOST_SCENARIOS + 1
    assert total(samples, "voice_calls_total", scenario=OTHERS) == MOST_SCENARIOS


def test_calls_that_are_in_no_number_are_in_no_metric() -> None:
    samples = exposed(ended(warm_up=True), ended(canary=True), ended(side="baseline"))
    assert total(samples, "voice_calls_total") == 0


def test_a_call_that_replaces_another_is_told() -> None:
    samples = exposed(ended(), ended(call="0002", retry_of="0001"))
    assert total(samples, "voice_calls_total") == 2
    assert total(samples, "voice_calls_retried_total") == 1


def test_the_series_of_a_run_begin_at_zero() -> None:
    run, exposition = read_run(RECORDED / "talk-light"), Exposition()
    exposition.begin(run.settings)
    samples = read_samples(generate_latest(exposition.registry).decode())
    assert set(samples.values()) == {0.0}
    exposition_after = exposed(*run.calls)
    sure = {key for key in exposition_after if key[0] == "voice_turn_ttfa_seconds_count"}
    assert sure
    assert sure <= set(samples)


def test_no_two_metrics_share_a_name() -> None:
    names = [name for family in FAMILIES.values() for name in family.series]
    assert len(names) == len(set(names))
    assert {family.of for family in FAMILIES.values()} - {""} == set(METRICS)
