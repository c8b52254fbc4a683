"""Many calls on Locust against the real stack: processes, a killed worker, Ctrl-C, a locustfile of one's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_UNFIT, EXIT_USAGE
from harness.load.processes import free_port
from tests.live.conftest import ROOT, RUN_LIMIT_S, LiveStack, Ran, Running, environment, until_fit

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

SCENARIO = "scenarios/load.yaml"
TALKS = "name: talks\nagent: light\ngreeting: {within: 20s}\nturns: [{say: thank-you}]\n"
LONG = "name: long\nagent: light\ngreeting: {within: 20s}\nturns: [{wait: 120s}]\n"


def load(stack: LiveStack, folder: Path | None, scenario: Path | str, *options: str) -> Running:
    words = ["load", str(scenario), "--target", stack.session_url, "--agent", "light", *options]
    words += ["--out", str(folder)] if folder is not None else []
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Running(process, folder or Path())


def trusted(stack: LiveStack, folder: Path, *options: str) -> Ran:
    """The run of a load of talks that this machine was fit to measure."""
    script = folder / "talks.yaml"
    script.write_text(TALKS)
    return until_fit(
        lambda attempt: load(stack, folder / f"run-{attempt}", script, *options).ran(), lambda ran: ran.fit, "the load"
    )


def until(running: Running, found: Callable[[str], bool]) -> None:
    """Reads what it says up to that line."""
    assert running.process.stdout is not None
    read = []
    for line in running.process.stdout:
        if found(line):
            return
        read.append(line)
    raise AssertionError("it ended before:\n" + "".join(read))


def children(pid: int, module: str) -> list[int]:
    """Processes below `pid` that run that module."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            found += ([child] if module in command else []) + children(child, module)
    return found


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def every_call_has_its_end(ran: Ran) -> None:
    started = {path.stem for path in (ran.folder / "timelines").iterdir()}
    assert started
    assert sorted(line["call"] for line in ran.lines) == sorted(started)


def test_stages_by_two_processes_leave_one_run(stack: LiveStack, tmp_path: Path) -> None:
    ran = trusted(stack, tmp_path, "--stages", "0s:2,4s:2", "--processes", "2", "--stop-timeout", "60s")
    assert ran.code == EXIT_OK, ran.out
    every_call_has_its_end(ran)
    assert {line["call"].partition("-")[0] for line in ran.lines} == {"w1", "w2"}
    assert all(line["ok"] for line in ran.lines), ran.out
    assert (ran.folder / "report.html").exists()


def test_a_burst_starts_its_calls_together(stack: LiveStack, tmp_path: Path) -> None:
    ran = trusted(stack, tmp_path, "--burst", "3")
    assert ran.code == EXIT_OK, ran.out
    assert [line["ok"] for line in ran.lines] == [True] * 3
    assert "burst of 3: an agent joined 3 of 3 calls" in ran.out


def test_a_worker_that_is_killed_costs_its_own_calls_and_one_of_another_version_is_refused(
    stack: LiveStack, tmp_path: Path
) -> None:
    script, other = tmp_path / "long.yaml", tmp_path / "other.yaml"
    script.write_text(LONG)
    other.write_text(LONG.replace("120s", "121s"))
    at = ("--master-port", str(free_port()))
    staged = ("--stages", "0s:4,20s:4", "--stop-timeout", "0s")
    master = load(stack, tmp_path / "run", script, "--master", "--expect-workers", "3", *at, *staged)
    workers = [load(stack, None, path, "--worker", *at) for path in (script, script, other)]
    until(master, lambda line: "running  4 calls alive" in line)
    seen = [*children(workers[0].process.pid, "harness.load.locust.process")]
    seen += children(workers[0].process.pid, "harness.shards.shard")
    os.kill(seen[0], signal.SIGKILL)
    ran = master.ran()
    assert ran.code == EXIT_UNFIT
    assert any("harness.shard_died" in reason["what"] for reason in ran.summary["reasons"]), ran.summary["reasons"]
    every_call_has_its_end(ran)
    lost = [line for line in ran.lines if line["failure"] == "harness.shard_died"]
    assert len(lost) == 2
    assert len({line["call"].partition("-")[0] for line in lost}) == 1
    assert [worker.ran().code for worker in workers] == [EXIT_UNFIT, EXIT_OK, EXIT_USAGE]
    assert not any(is_there(pid) for pid in seen)


def test_ctrl_c_twice_cuts_the_calls_and_writes_all(stack: LiveStack, tmp_path: Path) -> None:
    script = tmp_path / "long.yaml"
    script.write_text(LONG)
    running = load(stack, tmp_path / "run", script, "--rate", "60", "--calls", "2", "--duration", "300s")
    until(running, lambda line: "running  2 calls alive" in line)
    seen = children(running.process.pid, "harness.shards.shard")
    running.process.send_signal(signal.SIGINT)
    until(running, lambda line: "stopping" in line)
    running.process.send_signal(signal.SIGINT)
    ran = running.ran()
    assert ran.code == EXIT_INTERRUPTED
    every_call_has_its_end(ran)
    assert [line["cut"] for line in ran.lines] == [True, True]
    assert (ran.folder / "report.html").exists()
    assert not any(is_there(pid) for pid in seen)


def test_ctrl_c_ends_a_master_that_waits_for_workers(stack: LiveStack, tmp_path: Path) -> None:
    running = load(stack, tmp_path / "run", SCENARIO, "--master", "--calls", "1", "--master-port", str(free_port()))
    until(running, lambda line: "gathering" in line)
    running.process.send_signal(signal.SIGINT)
    assert running.ran().code == EXIT_INTERRUPTED


def plain_locust(stack: LiveStack, folder: Path, others: str) -> subprocess.CompletedProcess[str]:
    """Locust by itself, with a locustfile of two classes; `others` is what the second one says."""
    (folder / "talks.yaml").write_text(TALKS)
    (folder / "types.yaml").write_text("name: types\nagent: light\nturns: [{type: Hello}]\n")
    (folder / "mine.py").write_text(
        "from harness.locust import VoiceCallUser\n"
        "class Mine(VoiceCallUser):\n"
        f"    scenarios, target, agent = ['talks.yaml'], {stack.session_url!r}, 'light'\n"
        "class Others(Mine):\n"
        f"    {others}\n"
    )
    options = ["--headless", "-u", "2", "-r", "2", "-t", "5s", "--stop-timeout", "60", "--only-summary"]
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", "mine.py", *options],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )


def test_user_classes_that_cannot_be_one_load_are_refused(stack: LiveStack, tmp_path: Path) -> None:
    done = plain_locust(stack, tmp_path, "scenarios, agent = ['types.yaml'], 'demo'")
    assert done.returncode == EXIT_USAGE, done.stdout
    assert "Mine has agent 'light', Others has 'demo'" in done.stdout


def test_a_locustfile_of_ones_own_runs_with_plain_locust(stack: LiveStack, tmp_path: Path) -> None:
    done = plain_locust(stack, tmp_path, "scenarios = ['types.yaml']")
    (folder,) = (path for path in (tmp_path / "reports").iterdir() if path.is_dir())
    ran = Ran(done.returncode, done.stdout, folder)
    every_call_has_its_end(ran)
    assert all(line["ok"] for line in ran.lines), done.stdout
    assert "call talks" in done.stdout
    assert {line["scenario"] for line in ran.lines} == {"talks", "types"}
    assert (folder / "report.html").exists()
