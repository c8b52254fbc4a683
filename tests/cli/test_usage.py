"""What is wrong with a command line is told in a few lines with exit code 2, never as a bug with a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Command, environment, process, write_scenario

HELLO = "name: a\nturns:\n  - say: hello\n"
HEAVY = ("aiohttp", "jinja2", "livekit", "numpy", "pydantic", "rich", "ruamel", "soundfile", "harness.call")


def test_without_a_command_the_help_is_shown(command: Command) -> None:
    said = command()
    assert said.code == 2
    for name in ("call", "run", "report", "init", "validate", "schema", "stack", "fixtures"):
        assert f"\n  {name} " in said.out + said.err


@pytest.mark.parametrize(
    "name", ["call", "run", "report", "init", "validate", "schema", "stack up", "stack session", "fixtures say"]
)
def test_every_command_has_help(command: Command, name: str) -> None:
    said = command(*name.split(), "-h")
    assert said.code == 0
    assert f"voice-harness {name}" in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["valdate"], "Did you mean 'validate'"),
        (["stack", "upp"], "Did you mean 'up'?"),
        (["run"], "missing argument"),
        (["run", "s.yaml", "--calls"], "'--calls' requires an argument"),
        (["run", "s.yaml", "--targe", "embedded"], "--target"),
        (["run", "s.yaml", "--calls", "many"], "--calls"),
        (["run", "s.yaml", "--seed", "x"], "--seed"),
        (["stack", "up", "--port", "70000"], "--port"),
        (["report"], "RUN"),
    ],
)
def test_what_typer_refuses_is_a_usage_error(command: Command, words: list[str], told: str) -> None:
    said = command(*words)
    assert said.code == 2
    assert told in said.error
    assert "\n  hint: " in said.error


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--calls", "0"], "--calls must be greater than 0 (got 0)"),
        (["--repeat", "-1"], "--repeat"),
        (["--rate", "0"], "--rate"),
        (["--duration", "5m"], "--duration needs --rate"),
        (["--rate", "5"], "--rate has no meaning for a single call"),
        (["--target", "embedded", "--agent", "tru", "--dry-run"], "unknown agent 'tru'; did you mean 'truth'?"),
        (["--rate", "9", "--duration", "soon"], "--duration"),
        (["--rate", "9", "--duration", "1m", "--repeat", "2"], "--repeat"),
        (["--record", "some"], "--record"),
        (["-v", "-q"], "-q"),
        (["-k", "other"], "-k: 'other' matches none of a"),
        (["-k", "a and ("], "-k"),
        (["--set", "sesion.language=fr"], "did you mean 'session'?"),
        (["--set", "session.language"], "--set: 'session.language' is not KEY=VALUE"),
        (["--threshold", "turn.tffa: max<2s"], "did you mean 'turn.ttfa'?"),
        (["--threshold", "turn.ttfa: p95<2s"], "--threshold"),
        (["--threshold", "turn.echo: max<2s"], "no scenario of this run can give a sample of turn.echo"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_any_call(
    command: Command, tmp_path: Path, words: list[str], told: str
) -> None:
    write_scenario(tmp_path, HELLO)
    said = command("run", "s.yaml", "--target", "embedded", *words)
    assert said.code == 2
    assert told in said.error
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (["run"], 1),
        (["run", "--calls", "3", "--repeat", "3"], 9),
        (["run", "--calls", "5", "--repeat", "2"], None),
        (["run", "--rate", "60", "--duration", "9s"], 9),
        (["run", "--rate", "60", "--duration", "10s"], None),
        (["load", "--calls", "3", "--repeat", "3"], 9),
        (["load", "--calls", "3", "--repeat", "4"], None),
        (["load", "--rate", "60", "--duration", "9s", "--processes", "2"], 9),
        (["load", "--burst", "4,5"], 9),
        (["load", "--stages", "10s:1"], None),
    ],
)
def test_a_plan_with_fewer_calls_than_a_pass_rate_needs_is_refused(
    command: Command, tmp_path: Path, words: list[str], refused: int | None
) -> None:
    write_scenario(tmp_path, f"pass: 9/10\n{HELLO}")
    said = command(words[0], "s.yaml", *words[1:], "--target", "embedded", "--dry-run")
    assert said.code == (0 if refused is None else 2)
    if refused is not None:
        assert "pass 9/10 of a needs at least 10 decided calls, but" in said.error
        assert f" {refused} call" in said.error
        assert "s.yaml:1:1" in said.error


def test_of_several_scenarios_each_needs_its_own_calls(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, f"pass: 9/10\n{HELLO}")
    write_scenario(tmp_path, HELLO.replace("name: a", "name: b"), "t.yaml")
    at_a_rate = ("--target", "embedded", "--dry-run", "--rate", "60", "--duration")
    assert command("run", "s.yaml", "t.yaml", *at_a_rate, "19s").code == 0
    assert "but 9 calls of a are planned" in command("run", "s.yaml", "t.yaml", *at_a_rate, "18s").error
    assert command("load", "s.yaml=70", "t.yaml=30", *at_a_rate, "15s").code == 0
    assert "but 9 calls of a are planned" in command("load", "s.yaml=70", "t.yaml=30", *at_a_rate, "13s").error


def test_a_dry_run_prints_the_plan_and_leaves_nothing(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, HELLO)
    said = command(
        "run", "s.yaml", "--target", "embedded", "--rate", "30", "--duration", "2m", "--calls", "5", "--dry-run"
    )
    assert said.code == 0
    assert said.out.count("\n") == 1
    assert "target embedded, agent demo, a: 60 calls at 30 a minute, at most 5 alive, 60 sessions" in said.out
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


def test_shipped_scenarios_are_found_by_name_and_what_is_here_goes_first(command: Command, tmp_path: Path) -> None:
    assert "smoke: 2 turns" in command("validate", "smoke").out
    (tmp_path / "smoke").mkdir()
    write_scenario(tmp_path / "smoke", HELLO)
    assert "smoke/s.yaml  a: 1 turn\n" in command("validate", "smoke").out
    said = command("validate", "no-such-scenario")
    assert said.code == 2
    assert "no-such-scenario: no such file" in said.error


def test_help_imports_nothing_heavy() -> None:
    """It answers at once, whatever else is installed."""
    code = (
        "import sys, harness.cli.main as m\n"
        "sys.argv = ['voice-harness', '--help']\n"
        "try: m.main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


def test_the_version_is_told_by_module_and_command_alike(tmp_path: Path) -> None:
    out, _ = process("--version", cwd=tmp_path).communicate(timeout=30)
    command = Path(sys.executable).with_name("voice-harness")
    installed = subprocess.run(
        [command, "--version"], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert out == installed.stdout
    assert out.startswith("voice-harness ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--calls", "3", "--repeat", "2"], "3 calls at once, 6 in all: a to demo, target embedded"),
        (["--calls", "3", "--repeat", "2"], ": 6 sessions, at most "),
        (["--rate", "60", "--duration", "2m"], ": 120 sessions, at most 2.5 minutes"),
        (
            ["--stages", "1m:10,1m:0"],
            " (more if calls fail at once), at most 2.5 minutes",
        ),
    ],
)
def test_a_dry_load_tells_sessions_and_longest_time_and_calls_nobody(
    command: Command, tmp_path: Path, words: list[str], told: str
) -> None:
    write_scenario(tmp_path, HELLO)
    for quiet in ([], ["-q"]):
        said = command("load", "s.yaml", "--target", "embedded", *words, "--dry-run", *quiet)
        assert said.code == 0
        assert said.out.startswith("plan: ")
        assert told in said.out
        assert said.out.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


def test_a_scenario_that_is_not_there_is_told_with_the_one_that_may_be_meant(command: Command, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    write_scenario(tmp_path / "scenarios", HELLO).rename(tmp_path / "scenarios" / "prices.yaml")
    for given, meant in (
        ("price", "scenarios/prices.yaml"),
        ("scenarios/prise.yaml", "scenarios/prices.yaml"),
        ("smok", "smoke"),
        ("nothing-like-it", None),
    ):
        said = command("validate", given)
        hint = "check the path" if meant is None else f"did you mean {meant}?"
        assert (said.code, f"{given}: no such file or folder" in said.err, f"hint: {hint}" in said.err) == (
            2,
            True,
            True,
        )


def test_a_scenario_named_twice_is_told(command: Command, tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, HELLO)
    said = command("run", tmp_path, scenario, "--target", "embedded", "--dry-run")
    assert (said.code, "named more than once" in said.error) == (2, True)


def test_an_unknown_agent_is_told_where_the_scenario_names_it(command: Command, tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, "agent: nosuch\n" + HELLO)
    said = command("run", scenario, "--target", "embedded", "--dry-run")
    assert (said.code, f"{scenario}:1:1: unknown agent 'nosuch'" in said.error) == (2, True), said.error


def test_ctrl_c_while_the_command_is_being_imported_is_no_traceback() -> None:
    code = """
import sys
class Interrupted:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "harness.cli.main":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted)
from harness.__main__ import command
command()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (130, "error: interrupted\n")
