"""The pytest plugin as a user runs it: two workers of xdist, one embedded stack, two scenarios."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.conftest import ROOT, until_fit

pytestmark = pytest.mark.live

SCENARIO = "name: {name}\nturns:\n  - type: {text}\n    expect: {{reply: {{matches: '(?i){word}'}}}}\n"
QUESTIONS = {"parking": ("Do you have parking?", "park"), "opening": ("When do you open on weekdays?", "nine")}


def test_two_workers_call_the_agents_of_one_stack(tmp_path: Path) -> None:
    for name, (text, word) in QUESTIONS.items():
        (tmp_path / f"{name}.yaml").write_text(SCENARIO.format(name=name, text=text, word=word), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nvoice_scenarios = .\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    environment |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugins = ("-p", "harness.pytest_plugin.hooks", "-p", "xdist")
    options = ("-n", "2", "-v", "--voice-target=embedded", "--voice-engine=light", "--voice-retry-unfit=1")

    def made(attempt: int) -> tuple[subprocess.CompletedProcess[str], Path]:
        out = tmp_path / f"out-{attempt}"
        command = [sys.executable, "-m", "pytest", *plugins, *options, f"--voice-out={out}"]
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        return ran, out

    ran, out = until_fit(made, lambda made: "unfit" not in made[0].stdout, "two calls side by side")
    assert ran.returncode == pytest.ExitCode.OK, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
    assert len(set(re.findall(r"\[(gw\d)\].*PASSED", ran.stdout))) == 2, "each worker makes a call"
    calls = [json.loads((out / name / "calls.jsonl").read_text().splitlines()[-1]) for name in QUESTIONS]
    rooms = {json.loads(line)["room"] for line in (out / "truth.jsonl").read_text().splitlines()}
    assert {call["room"] for call in calls} <= rooms, "one stack has both calls in its log"
