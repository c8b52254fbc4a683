"""More calls than open files are allowed: said before the start, with the hint."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import EXIT_USAGE, ConfigError
from harness.machine.open_files import check_open_files
from tests.live.conftest import environment


def test_calls_that_fit_are_fine_and_one_more_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (100, 1064))
    check_open_files(100, 10, where="--calls")
    with pytest.raises(ConfigError) as refused:
        check_open_files(101, 10, where="--calls")
    assert "1,074" in refused.value.what
    assert "ulimit -Hn 1074" in (refused.value.hint or "")


def test_a_process_without_a_limit_carries_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (100, resource.RLIM_INFINITY))
    check_open_files(10**6, 50, where="--calls")


def test_a_run_of_more_calls_than_files_calls_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness", "run", "smoke", "--target", "embedded", "--agent", "light"]
    ran = subprocess.run(
        [*command, "--engine", "light", "--calls", "100", "--out", str(tmp_path / "run")],
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == EXIT_USAGE, ran.stderr
    assert "--calls: 60 calls in one process need up to 664 open files" in ran.stderr
    assert not os.path.lexists(tmp_path / "run")
