"""`run --prometheus` against the real stack: a scrape while a call is alive, and one after it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import ROOT, LiveStack, environment
from tests.telemetry.exported import fetch, read_samples, total

pytestmark = pytest.mark.live

TYPED = """
name: typed
agent: light
timeouts: {end_silence: 500ms}
turns:
  - type: Do you have parking?
"""


def until(lines: Iterator[str], words: str) -> str:
    """Reads lines until one has these words."""
    seen = []
    for line in lines:
        if words in line:
            return line
        seen.append(line)
    raise AssertionError(f"there is no {words!r} in {''.join(seen)}")


def test_a_call_is_seen_while_it_is_alive_and_counted_when_it_has_ended(stack: LiveStack, tmp_path: Path) -> None:
    scenario = tmp_path / "typed.yaml"
    scenario.write_text(TYPED)
    words = ("run", str(scenario), "--target", stack.session_url, "--engine", "light", "--prometheus", "0", "-v")
    with subprocess.Popen(
        [sys.executable, "-m", "harness", *words, "--out", str(tmp_path / "run")],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        lines = iter(running.stdout)
        url = until(lines, "metrics: ").split("metrics: ")[1].strip()
        until(lines, "turn.started")
        alive = read_samples(fetch(url))
        until(lines, "waiting for a last scrape")
        ended = read_samples(fetch(url))
        running.stdout.read()
    assert total(alive, "voice_calls_alive") == 1
    assert total(alive, "voice_calls_total") == 0
    assert total(ended, "voice_calls_alive") == 0
    assert total(ended, "voice_calls_total", scenario="typed") == 1
    assert running.returncode in {0, 4}, "nobody is hurt by being watched; the machine may be too busy to measure"
