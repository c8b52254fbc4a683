"""Baseline files: they read back, differ line by line, hold no texts, and a damaged one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness.compare.candidate import as_baseline, of_run
from harness.errors import ConfigError
from harness.record import baseline as files
from harness.record.baseline import Baseline, path_of_baseline, read_baseline, saved_baselines, write_baseline

RECORDED = Path(__file__).parents[1] / "recorded"


def baseline_of(name: str) -> Baseline:
    run = harness.read_run(RECORDED / name)
    return as_baseline(of_run(run.settings, run.calls), saved="2030-01-02T03:04:05Z")


def test_a_baseline_reads_back_as_it_was_written(tmp_path: Path) -> None:
    for name in ("talk-sdk", "faults-light", "load", "killed"):
        baseline = baseline_of(name)
        path = tmp_path / "new" / f"{name}.json"
        write_baseline(path, baseline)
        assert read_baseline(path) == baseline
        assert [each.name for each in path.parent.iterdir() if each.suffix != ".json"] == []
    assert saved_baselines(tmp_path / "new")[0].name == "faults-light.json"
    assert saved_baselines(tmp_path / "none") == []


def test_each_call_has_a_line_and_keys_are_sorted() -> None:
    baseline = baseline_of("load")
    lines = baseline.to_text().splitlines()
    of_calls = [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"call"')]
    assert [each["call"] for each in of_calls] == sorted(call.call for call in baseline.calls)
    assert all(list(each["samples"]) == sorted(each["samples"]) for each in of_calls)
    assert len(lines) < len(baseline.calls) + len(baseline.scenarios) + 15


def test_a_baseline_has_no_text_of_callers_or_agents_and_leaves_out_what_does_not_count() -> None:
    run = harness.read_run(RECORDED / "talk-sdk")
    text = baseline_of("talk-sdk").to_text()
    said = [turn.reply for call in run.calls for turn in call.turns] + [
        turn.text for call in run.calls for turn in call.turns
    ]
    assert any(said)
    assert not [each for each in said if each and each in text]
    load = harness.read_run(RECORDED / "load")
    left_out = {call.call for call in load.calls if call.warm_up or call.canary}
    assert left_out
    assert not left_out & {call.call for call in baseline_of("load").calls}


def without_a_call(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith('{"call"')]
    return "\n".join(lines)


DAMAGES: dict[str, tuple[Callable[[str], str], str]] = {
    "cut off": (lambda text: text[: len(text) // 2], "no longer JSON"),
    "a merge": (lambda text: f"<<<<<<< HEAD\n{text}", "no longer JSON"),
    "no calls": (without_a_call, "calls of"),
    "a number that is none": (
        lambda text: text.replace('"turn.ttfa": {"1": ', '"turn.ttfa": {"1": NaN, "9": ', 1),
        "calls.0",
    ),
    "a later version": (lambda text: text.replace('"version": 1', '"version": 9'), "its format is version 9"),
    "an unknown key": (lambda text: text.replace('"saved"', '"stored"'), "it is not as this version writes it"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_baseline_is_refused_with_what_is_wrong(tmp_path: Path, damage: str) -> None:
    change, why = DAMAGES[damage]
    path = tmp_path / "main.json"
    path.write_text(change(baseline_of("talk-sdk").to_text()), encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read") as problem:
        read_baseline(path)
    assert why in str(problem.value)
    assert str(path) in str(problem.value)
    assert "record the baseline again" in str(problem.value)


def test_a_call_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    text = baseline_of("talk-sdk").to_text()
    line = next(line for line in text.splitlines() if line.startswith('{"call"'))
    path = tmp_path / "main.json"
    path.write_text(text.replace(line, f"{line.rstrip(',')},\n{line}", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="a call is in it twice"):
        read_baseline(path)


def test_a_baseline_is_found_by_its_name_or_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert path_of_baseline("main") == Path("reports/baselines/main.json")
    assert path_of_baseline("elsewhere/main.json") == Path("elsewhere/main.json")
    assert path_of_baseline("main.json") == Path("main.json")
    for wrong in ("", "a b", ".hidden", "ä"):
        with pytest.raises(ConfigError, match="is no valid name"):
            path_of_baseline(wrong)
    with pytest.raises(ConfigError, match="there is no such baseline") as problem:
        read_baseline(path_of_baseline("main"))
    assert "baseline save" in str(problem.value)
    write_baseline(files.FOLDER / "other.json", baseline_of("talk-sdk"))
    with pytest.raises(ConfigError, match="use one of other"):
        read_baseline(path_of_baseline("main"))
