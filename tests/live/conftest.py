"""One embedded stack for all live tests, started as its user starts it, and runs made by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from harness.errors import EXIT_UNFIT

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEY = "sk_live_tests_only_0123456789"
RUN_LIMIT_S = 240
ATTEMPTS = 5
T = TypeVar("T")


@dataclass(frozen=True)
class LiveStack:
    """The addresses of the stack that runs."""

    session_url: str
    livekit_url: str


@dataclass(frozen=True)
class Ran:
    """A finished command and the run it left."""

    code: int
    out: str
    folder: Path

    @property
    def fit(self) -> bool:
        """Whether this machine could be trusted with it; a run that was not says so by its exit code."""
        return self.code != EXIT_UNFIT

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "summary.json").read_text())

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        """The lines of calls.jsonl by the name of their scenario (of the last call, where there are several)."""
        return {call["scenario"]: call for call in self.lines}

    @property
    def standing(self) -> list[dict[str, Any]]:
        """The lines that count: not those of calls that were made again."""
        again = {call["retry_of"] for call in self.lines}
        return [call for call in self.lines if call["call"] not in again]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "calls.jsonl").read_text().splitlines()]

    def timeline(self, call: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "timelines" / f"{call}.jsonl").read_text().splitlines()]


def environment(**extra: str) -> dict[str, str]:
    """The environment of a user who has a key and no CI around."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "VOICE_HARNESS_API_KEY")}
    return kept | {"VOICE_HARNESS_API_KEY": KEY} | extra


def harness(*words: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *words],
        cwd=cwd,
        env=dict(env or environment()),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )


@dataclass(frozen=True)
class Running:
    """A `voice-harness run` under way; others may run beside it, most of a call is waiting."""

    process: subprocess.Popen[str]
    folder: Path

    def ran(self, limit_s: float = RUN_LIMIT_S) -> Ran:
        """Waits for its end."""
        out, _ = self.process.communicate(timeout=limit_s)
        return Ran(self.process.returncode, out, self.folder)


def start(stack: LiveStack, folder: Path, scenarios: Sequence[Path | str], *options: str) -> Running:
    """Starts `voice-harness run` against the stack, into `folder`."""
    words = ["run", *map(str, scenarios), "--target", stack.session_url, "--out", str(folder), *options]
    command = [sys.executable, "-m", "harness", *words]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return Running(process, folder)


def run(stack: LiveStack, folder: Path, scenarios: Sequence[Path | str], *options: str) -> Ran:
    """`voice-harness run` against the stack, into `folder`, to its end."""
    return start(stack, folder, scenarios, *options).ran()


def until_fit(make: Callable[[int], T], fit: Callable[[T], bool], what: str | None, *, attempts: int = ATTEMPTS) -> T:
    """What `make` gives, made again as long as this machine was too busy to measure it.

    Args:
        make: Makes it; takes the number of attempts before this one.
        fit: Whether it counts.
        what: Names it where no attempt counts and the test fails. None: the last attempt is returned, for the tests to
            judge.
        attempts: The most attempts, the first among them.
    """
    for attempt in range(attempts):
        made = make(attempt)
        if fit(made):
            return made
    if what is not None:
        pytest.fail(f"this machine was too busy to measure {what}, {attempts} times")
    return made


@pytest.fixture(scope="session")
def truth_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("truth") / "truth.jsonl"


@pytest.fixture(scope="session")
def talking(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> Running:
    """A call of an agent that never stops, which takes over a minute: begun early, looked at last."""
    folder = tmp_path_factory.mktemp("talking")
    script = folder / "talking.yaml"
    script.write_text("name: talking\nagent: talks_for_ever\nturns: [{say: thank-you}, {say: goodbye}]\n")
    return start(stack, folder / "run", [script], "--engine", "light")


@pytest.fixture(scope="session")
def stack(truth_file: Path) -> Iterator[LiveStack]:
    with stack_up("agents.yaml", truth_file) as up:
        yield up


@contextmanager
def stack_up(agents: str, truth_file: Path) -> Iterator[LiveStack]:
    """A stack with this file of agents beside us, as its user starts it."""
    command = [sys.executable, "-m", "harness", "stack", "up", "--json"]
    command += ["--agents", str(HERE / agents), "--truth", str(truth_file)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the stack did not come up; its error is above"
        address = json.loads(line)
        assert KEY not in line
        yield LiveStack(address["session_url"], address["livekit_url"])
        process.terminate()
        assert process.wait(timeout=30) == 0
