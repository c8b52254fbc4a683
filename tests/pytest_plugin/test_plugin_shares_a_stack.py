"""One embedded stack for all workers: started when the first test needs it, stopped whatever ends pytest."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pytest_plugin.fake_calls import KEY
from tests.pytest_plugin.project import Project

pytest_plugins = ("pytester",)


TESTS = """
import os, stat
import pytest

HELLO = {"name": "hello", "turns": [{"type": "Hello"}]}

@pytest.mark.parametrize("n", range(4))
def test_same(voice_call, n):
    voice_call.now(HELLO, agent="demo")
    if n == 0:
        voice_call.now(HELLO)

def test_socket(pytestconfig):
    path = pytestconfig.workerinput["voice_harness"]["stack"]
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    print("socket:", path)
"""


def test_two_workers_have_one_stack_and_each_test_its_own_folder(project: Project) -> None:
    project.write("test_calls.py", TESTS)
    options = ("--voice-target=embedded", "--voice-agent=truth", "--voice-record=none", "-rP")
    made = project.pytest("-n", "2", *options)
    made.assert_outcomes(passed=5)
    told = project.told()
    assert [line for line in told if line.startswith("started")] == [told[0]]
    assert told[0].startswith("started warm=truth ")
    assert told[1:-1] == ["called http://127.0.0.1:1/session True"] * 5, "workers call with the stack's key"
    assert told[-1] == "stopped"
    [runs] = project.path.glob("reports/*-pytest")
    names = {f"test_calls-test_same-{n}" for n in range(4)} | {"test_calls-test_same-0-2"}
    assert {folder.name for folder in runs.iterdir()} == names
    files = [file.read_text() for file in runs.rglob("*.*") if file.is_file()]
    assert not any(KEY in text for text in [made.stdout.str(), made.stderr.str(), *files])
    socket = re.search(r"socket: (\S+)", made.stdout.str())
    assert socket is not None
    assert not Path(socket[1]).parent.exists(), "the socket goes with pytest"


def test_without_a_call_no_stack_is_started(project: Project) -> None:
    project.scenario("opening")
    project.write("test_plain.py", "def test_plain(): ...\ndef test_calls(voice_call): voice_call.now('smoke')\n")
    options = ("--voice-target=embedded", "scenarios", "test_plain.py", "-m", "not voice", "-n", "1")
    made = project.pytest(*options, fake=False)
    made.assert_outcomes(passed=1)
    assert not (project.path / "reports").exists(), "a stack begins with its truth log there"


def test_a_stack_that_does_not_start_is_unreachable_and_no_failure_of_the_agent(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_STACK_FALLS", "at start")
    project.write("test_calls.py", "def test_calls(voice_call): voice_call.now('smoke')\n")
    made = project.pytest_here("--voice-target=embedded", "--junitxml=junit.xml")
    assert re.search(r"=* 1 unreachable\b", made.outlines[-1])
    made.assert_outcomes()
    assert made.ret == pytest.ExitCode.TESTS_FAILED
    made.stdout.fnmatch_lines(
        ["E *Unreachable: the embedded stack's host did not start", "E *hint: look at its output"]
    )
    assert '<property name="voice_status" value="unreachable"' in (project.path / "junit.xml").read_text()


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "with xdist"])
def test_ctrl_c_cuts_the_call_writes_its_run_and_stops_the_stack(project: Project, workers: tuple[str, ...]) -> None:
    hangs = '{"name": "hangs", "turns": [{"type": "Hello"}]}'
    project.write("test_calls.py", f"def test_calls(voice_call): voice_call.now({hangs})\n")
    os.mkfifo(project.log)
    log = os.open(project.log, os.O_RDWR)  # open for writing as well: never at its end
    command = [sys.executable, "-m", "pytest", *project.command(*workers, "--voice-target=embedded")]
    with subprocess.Popen(command, cwd=project.path, stdout=subprocess.PIPE, text=True) as process:
        try:
            seen = _read_until(log, "hangs ")
            # As a terminal does, which signals all of its processes.
            for pid in {process.pid, int(seen.split("hangs ")[1])}:
                os.kill(pid, signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == pytest.ExitCode.INTERRUPTED, said
    assert _read_until(log, "stopped").endswith("stopped\n")
    os.close(log)
    [run] = project.path.glob("reports/*-pytest/test_calls-test_calls")
    assert '"verdict": "interrupted"' in (run / "summary.json").read_text()


def _read_until(log: int, word: str) -> str:
    seen = ""
    while word not in seen or not seen.endswith("\n"):
        ready, _, _ = select.select([log], [], [], 60)
        assert ready, f"{word!r} did not come; so far: {seen}"
        seen += os.read(log, 4096).decode()
    return seen
