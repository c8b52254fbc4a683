"""The command line against the real stack: what needs a call to be seen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness import HarnessError, make_run
from tests.live.conftest import KEY, ROOT, LiveStack, Ran, environment, harness, start

pytestmark = pytest.mark.live

SHORT = """
name: short
agent: light
greeting: false
timeouts: {end_silence: 500ms}
turns:
  - say: hello
"""
# The greeting is heard first: a text that is typed just as it sets in is answered with no new onset.
QUICK = ("--set", "timeouts.end_silence=500ms")
# 0, or 4 where this machine was too busy to be trusted: what is asserted here is no matter of time.
FINE = (0, 4)
# Costs a fraction of the CPU where it does not matter which engine calls.
LIGHT = ("--engine", "light")


def launch(*words: str | Path, cwd: Path, before: str = "") -> subprocess.Popen[str]:
    """Starts the command; `before` is done by the shell that becomes it."""
    return subprocess.Popen(
        ["/bin/bash", "-c", f'{before}\nexec "$@"', "bash", sys.executable, "-u", "-m", "harness", *map(str, words)],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def short(tmp_path: Path) -> Path:
    path = tmp_path / "short.yaml"
    path.write_text(SHORT)
    return path


def test_a_call_by_hand_goes_in_the_order_of_its_command_line(stack: LiveStack, tmp_path: Path) -> None:
    words = ["--type", "First", "--say", "hello", "--type", "Third", "--target", stack.session_url, "--agent", "light"]
    ran = harness("call", *words, *QUICK, "--out", "run", cwd=tmp_path)
    assert ran.returncode in FINE, ran.stdout
    told = [line.partition(" s  ")[2] for line in ran.stdout.splitlines() if "  turn " in line and "ended" not in line]
    assert told == ["turn 1: typing 'First'", "turn 2: saying 'Hello, good morning.'", "turn 3: typing 'Third'"]
    folder = tmp_path / "run"
    call = Ran(0, "", folder).lines[0]
    assert [turn["kind"] for turn in call["turns"]] == ["type", "say", "type"]
    assert (folder / call["recording"]).exists()
    assert KEY not in ran.stdout


def test_the_first_files_lead_to_a_first_call(stack: LiveStack, tmp_path: Path) -> None:
    assert harness("init", cwd=tmp_path).returncode == 0
    config = tmp_path / "voice-harness.toml"
    text = config.read_text().replace("https://api.oshara.ai/api/agents/agent-session/", stack.session_url)
    config.write_text(text.replace("the-agent-id", "light"))
    ran = harness("run", "scenarios/first-call.yaml", env=environment(STAGING_VOICE_KEY=KEY), cwd=tmp_path)
    assert "target staging" in ran.stdout
    (folder,) = (path for path in (tmp_path / "reports").iterdir() if path.is_dir())
    call = Ran(ran.returncode, ran.stdout, folder).lines[0]
    assert call["failure"] is None, call["failures"]
    assert len(call["turns"]) == 2


def test_credentials_for_another_client_are_printed(stack: LiveStack, tmp_path: Path) -> None:
    ran = harness("stack", "session", "--target", stack.session_url, "--agent", "light", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout
    credentials = json.loads(ran.stdout)
    assert credentials.keys() == {"token", "livekit_url", "room_name"}
    assert credentials["livekit_url"] == stack.livekit_url


def test_a_reader_that_goes_does_not_end_the_run(stack: LiveStack, short: Path, tmp_path: Path) -> None:
    words = ["run", short, "--target", stack.session_url, "--out", tmp_path / "run", *LIGHT, "-v"]
    with launch(*words, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("plan: ")
        process.stdout.close()
        code = process.wait(timeout=60)
    assert code in FINE
    ran = Ran(code, "", tmp_path / "run")
    assert ran.summary["calls"]["total"] == 1
    assert ran.lines[0]["failure"] is None


def test_a_disk_that_fills_up_ends_nothing_and_is_told(stack: LiveStack, short: Path, tmp_path: Path) -> None:
    """A second of the recording is 192 kB, and no file may grow beyond 400."""
    options = ("--record", "all", "--calls", "2", *LIGHT)
    words = ["run", short, "--target", stack.session_url, "--out", tmp_path / "run", *options]
    process = launch(*words, cwd=tmp_path, before="ulimit -f 400")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 4, out
    assert "Traceback" not in out
    ran = Ran(4, out, tmp_path / "run")
    assert ran.summary["failures"] == {"harness.disk": 2}
    assert [len(line["turns"]) for line in ran.lines] == [1, 1]
    assert {path.name for path in ran.folder.iterdir()} >= {"summary.json", "turns.csv", "junit.xml", "report.html"}
    assert not list((ran.folder / "audio").iterdir())


def test_a_killed_run_leaves_no_process_and_its_children_never_had_the_key(short: Path, tmp_path: Path) -> None:
    words = ["run", short, "--target", "embedded", "--out", tmp_path / "run", *LIGHT, "-v"]
    with launch(*words, cwd=tmp_path) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "turn.started" in line:
                break
        children = psutil.Process(process.pid).children(recursive=True)
        ours = ("harness.stack", "harness.process")
        stack = [child for child in children if any(room in " ".join(child.cmdline()) for room in ours)]
        parts = {child.cmdline()[2] for child in stack}
        assert parts >= {"harness.stack.host", "harness.stack.agents", "harness.process.guard"}, said
        for child in children:
            assert KEY not in " ".join(child.cmdline())
        for child in stack:
            assert KEY not in child.environ().values()
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive


def test_a_run_is_made_from_python(
    stack: LiveStack, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As its user does: the key in the environment, which is there afterwards, and nothing printed."""
    monkeypatch.setenv("VOICE_HARNESS_API_KEY", KEY)
    ran = make_run([short], target=stack.session_url, out=tmp_path / "run", record="none")
    assert ran.summary is not None
    assert ran.summary.exit_code in FINE, ran.summary.reasons
    assert [(call.scenario, call.failure) for call in ran.calls] == [("short", None)]
    assert (ran.folder / "report.html").exists()
    assert ran.settings.command == ["harness.make_run"]
    assert os.environ["VOICE_HARNESS_API_KEY"] == KEY
    assert capfd.readouterr().out == ""
    with pytest.raises(HarnessError, match="already"):
        make_run([short], target=stack.session_url, out=tmp_path / "run")


def test_the_load_scenario_runs_at_a_rate(stack: LiveStack, tmp_path: Path) -> None:
    ran = start(stack, tmp_path / "run", ["scenarios/load.yaml"], "--rate", "120", "--duration", "2s", *LIGHT).ran()
    assert len(ran.lines) == 4
    assert ran.summary["failures"] == {}


def test_an_interrupted_run_keeps_everything(stack: LiveStack, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    script = tmp_path / "short.yaml"
    script.write_text("name: short\nagent: light\nturns: [{say: goodbye}]\n")
    words = ["run", str(script), "--target", stack.session_url, "--out", str(folder), "--repeat", "9", *LIGHT, "-v"]
    command = [sys.executable, "-u", "-m", "harness", *words]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "0002-short" in line and "turn.started" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read()
        assert process.wait(timeout=30) == 130, rest
    ran = Ran(130, rest, folder)
    assert [(call["ok"], call["cut"]) for call in ran.lines] == [(ran.lines[0]["ok"], False), (None, True)]
    assert ran.summary["calls"] == {
        "total": 1,
        "ok": 1,
        "failed": 0,
        "dropped": 0,
        "cut": 1,
        "warm_up": 0,
        "retried": 0,
    }
    assert ran.summary["verdict"] == "interrupted"
    assert (folder / "report.html").exists()
    assert ran.lines[1]["turns"][-1]["cut"]


def test_a_wrong_key_is_named_and_not_shown(stack: LiveStack, tmp_path: Path) -> None:
    wrong = "sk_wrong_key_0123456789"
    done = harness(
        "run",
        "scenarios/smoke.yaml",
        "--target",
        stack.session_url,
        "--agent",
        "demo",
        "--out",
        str(tmp_path / "run"),
        env=environment(VOICE_HARNESS_API_KEY=wrong),
    )
    assert done.returncode == 3
    assert "session.unauthorized" in done.stdout
    assert wrong not in done.stdout
