"""A machine that is busy: the harness says so, and what it keeps is as exact as on a quiet one.

Two processes spin at normal priority on whatever cores there are, while calls to the `truth` agent are measured. The
run must end with exit 4 or leave out its unfit turns; the TTFA of the turns that are kept is held against the agent's
own log. Quiet and busy runs take turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from latest import record
from rich.console import Console

from harness.calibrate.run import read_truth
from harness.calibrate.truth import check_call
from harness.errors import EXIT_OK, EXIT_UNFIT
from harness.record.run_directory import TRUTH_FILE, RunDirectory, read_run
from harness.timeline.timeline import read_timeline

SPINNING = 2
ROUNDS = 2
CALLS = 2
MOST_ERROR_MS = 20.0
FILES = {
    "voice-harness.toml": '[targets.here]\nkind = "embedded"\nagents = "agents.yaml"\n',
    "agents.yaml": json.dumps(
        {
            "agents": {
                "exact": {
                    "prompt": "This is the reference sound.",
                    "greeting": "This is the reference sound.",
                    "kind": "truth",
                    "ear": "none",
                    "brain": "fixed",
                    "reply_delay": {"mix": ["300ms", "800ms", "1500ms"]},
                }
            }
        }
    ),
    "exact.yaml": json.dumps(
        {
            "name": "exact",
            "agent": "exact",
            "timeouts": {"end_silence": "600ms"},
            "turns": [{"say": "do-you-take-cards"}, {"type": "One"}, {"say": "thank-you"}, {"type": "Two"}] * 2,
        }
    ),
}


@dataclass(frozen=True)
class Round:
    """A run: its exit code, how many turns were unfit, and the error of each that was kept (measured less true)."""

    code: int
    turns: int
    unfit: int
    errors_ms: list[float]


@contextmanager
def busy() -> Iterator[None]:
    """Two processes that spin."""
    command = [sys.executable, "-c", "while True: pass"]
    spinning = [subprocess.Popen(command) for _ in range(SPINNING)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def measured(folder: Path, out: Path) -> Round:
    """One run of `voice-harness run`, beside its truth log."""
    words = ["run", "exact.yaml", "--target", "here", "--calls", str(CALLS), "--record", "none", "--out", str(out)]
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "VOICE_HARNESS_API_KEY")}
    done = subprocess.run([sys.executable, "-m", "harness", *words, "-q"], cwd=folder, env=env, check=False)
    truth = read_truth(out / TRUTH_FILE)
    calls = read_run(out).calls
    checks = [check_call(call, read_timeline(RunDirectory(out).timeline(call.call)), truth) for call in calls]
    turns = [turn for call in calls for turn in call.turns]
    errors_ms = [turn.error_ms for check in checks for turn in check.turns]
    return Round(done.returncode, len(turns), sum(not turn.fit for turn in turns), errors_ms)


def test_a_busy_machine_never_makes_the_agent_look_worse(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    quiet_rounds, busy_rounds = [], []
    for number in range(ROUNDS):
        quiet_rounds.append(measured(tmp_path, tmp_path / f"quiet-{number}"))
        with busy():
            busy_rounds.append(measured(tmp_path, tmp_path / f"busy-{number}"))
    section = {"quiet": _figures(quiet_rounds), "busy": _figures(busy_rounds)}
    record("busy_machine", section)
    for name, figures in section.items():
        Console().print(f"{name:6} {figures}", highlight=False)
    assert {done.code for done in quiet_rounds} == {EXIT_OK}, "the machine was busy with something else too"
    for done in busy_rounds:
        assert done.code in (EXIT_OK, EXIT_UNFIT), "the agent was blamed"
        assert done.code == EXIT_UNFIT or done.unfit <= max(1, 0.05 * done.turns)
    for figures in section.values():
        assert figures["error_p50_ms"] is None or abs(figures["error_p50_ms"]) <= MOST_ERROR_MS


def _figures(rounds: list[Round]) -> dict[str, float | list[int] | None]:
    errors_ms = [error_ms for done in rounds for error_ms in done.errors_ms]
    return {
        "exit_codes": [done.code for done in rounds],
        "turns": sum(done.turns for done in rounds),
        "unfit": sum(done.unfit for done in rounds),
        "kept": len(errors_ms),
        "error_p50_ms": round(statistics.median(errors_ms), 2) if errors_ms else None,
        "error_max_ms": round(max(map(abs, errors_ms)), 2) if errors_ms else None,
    }
