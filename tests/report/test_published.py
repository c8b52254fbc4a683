"""The published JSON of a run, and its schema."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.record.run_directory import read_run
from harness.report.published import Published, published_schema, render_json
from harness.run.finish import rebuilt
from tests.golden import Golden
from tests.report.sample_run import sample_run

ROOT = Path(__file__).parents[2]
RUNS = sorted(path.parent for path in (ROOT / "tests/recorded").glob("*/run.json"))


def problems(text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(published_schema())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(text))]


def test_the_schema_in_docs_is_that_of_the_models(golden: Golden) -> None:
    jsonschema.Draft202012Validator.check_schema(published_schema())
    golden.check(ROOT / "docs/report.schema.json", json.dumps(published_schema(), indent=2) + "\n")


@pytest.mark.parametrize("run", RUNS, ids=lambda path: path.name)
def test_a_recorded_run_fits_the_schema(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    made = rebuilt(tmp_path / "run", remeasure=True)
    text = render_json(made)
    assert problems(text) == []
    assert Published.model_validate_json(text).calls == sorted(made.calls, key=lambda call: call.call)


def test_a_run_with_something_of_everything_fits_the_schema(tmp_path: Path) -> None:
    assert problems(render_json(sample_run(tmp_path))) == []


def test_a_killed_run_has_no_ending_and_an_unjudged_one_no_summary() -> None:
    document = json.loads(render_json(read_run(ROOT / "tests/recorded/killed")))
    assert document["run"]["ending"] is None
    assert document["summary"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [(("calls", 0, "turns", 0, "ttfa_ms"), "fast"), (("summary", "verdict"), "good"), (("run", "thresholds"), None)],
)
def test_the_schema_finds_what_is_wrong(tmp_path: Path, path: tuple[str | int, ...], value: Any) -> None:
    document = json.loads(render_json(sample_run(tmp_path)))
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert problems(json.dumps(document))
    del part[path[-1]]
    assert problems(json.dumps(document)), "all fields are required"


def test_a_later_field_is_allowed(tmp_path: Path) -> None:
    document = json.loads(render_json(sample_run(tmp_path)))
    document["calls"][0]["of_a_later_version"] = 1
    assert problems(json.dumps(document)) == []


def test_numbers_that_json_does_not_have_are_null(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    run.calls[0].turns[0].ttfa_ms = float("nan")
    run.calls[0].turns[0].wer = float("inf")
    turn = json.loads(render_json(run))["calls"][0]["turns"][0]
    assert (turn["ttfa_ms"], turn["wer"]) == (None, None)
