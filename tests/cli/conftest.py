"""The command as its user meets it: in this process, where only what it says matters, else in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cli.main import main

KEY = "sk_cli_tests_only_0123456789"
ROOT = Path(__file__).parents[2]
LIMIT_S = 60
OF_CI = ("CI", "GITHUB_ACTIONS", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "VOICE_HARNESS_API_KEY")


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """Its one error message, with its hint."""
        assert self.err.count("error: ") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.partition("error: ")[2].rstrip()


Command = Callable[..., Said]


def environment(**extra: str) -> dict[str, str]:
    """The environment of a person: neither a CI's nor one with a key, unless `extra` says so."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_CI}
    return kept | {"PYTHONPATH": str(ROOT)} | extra


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command in this process, in `tmp_path`."""

    def run(*words: str | Path, env: Mapping[str, str] | None = None) -> Said:
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            for name in OF_CI:
                patch.delenv(name, raising=False)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["voice-harness", *map(str, words)])
            capsys.readouterr()
            with pytest.raises(SystemExit) as exit_info:
                main()
        said = capsys.readouterr()
        assert isinstance(exit_info.value.code, int)
        return Said(exit_info.value.code, said.out, said.err)

    return run


def process(*words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Starts the command in a process of its own; the caller reads and ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *map(str, words)],
        cwd=cwd,
        env=dict(env or environment()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def shell(line: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A line of bash, in which `$VH` is the command."""
    return subprocess.run(
        ["/bin/bash", "-c", line],
        cwd=cwd,
        env={**(env or environment()), "VH": f"{sys.executable} -m harness"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def write_scenario(folder: Path, text: str, name: str = "s.yaml") -> Path:
    """A scenario's file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
