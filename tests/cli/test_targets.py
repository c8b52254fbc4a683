"""Whom a command calls: never the demo by mistake, never anyone without a key, and the key is shown nowhere."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.cli.options import resolve_target
from harness.secret import Secret
from tests.cli.conftest import KEY, Command, write_scenario

URL = "http://127.0.0.1:9/api/agents/agent-session/"


@pytest.fixture(autouse=True)
def scenario(tmp_path: Path) -> Path:
    return write_scenario(tmp_path, "name: a\nturns:\n  - say: hello\n")


@pytest.mark.parametrize("env", [{"CI": "1"}, {"CI": "true"}, {"VOICE_HARNESS_API_KEY": KEY}])
def test_the_demo_is_not_called_by_mistake(command: Command, env: dict[str, str]) -> None:
    said = command("run", "s.yaml", "--dry-run", env=env)
    assert said.code == 2
    assert "--target: no target is given" in said.error
    assert "--target embedded" in said.error
    assert KEY not in said.err


def test_a_person_at_a_terminal_gets_the_demo(command: Command) -> None:
    assert "target embedded, agent demo" in command("run", "s.yaml", "--dry-run").out


def test_the_demo_is_called_where_it_is_named(command: Command) -> None:
    said = command("run", "s.yaml", "--target", "embedded", "--dry-run", env={"CI": "1", "VOICE_HARNESS_API_KEY": KEY})
    assert said.code == 0


def test_a_url_without_a_key_names_the_variable(command: Command) -> None:
    said = command("run", "s.yaml", "--target", URL, "--agent", "x")
    assert said.code == 2
    assert "export VOICE_HARNESS_API_KEY=" in said.error


def test_a_url_without_an_agent_says_where_to_name_one(command: Command) -> None:
    said = command("run", "s.yaml", "--target", URL, env={"VOICE_HARNESS_API_KEY": KEY})
    assert said.code == 2
    assert "add --agent ID" in said.error


def test_a_key_on_the_command_line_is_refused_and_not_repeated(command: Command) -> None:
    said = command("run", "s.yaml", "--target", f"{URL}?key={KEY}", env={"VOICE_HARNESS_API_KEY": KEY})
    assert said.code == 2
    assert KEY not in said.out + said.err


def test_a_mistyped_target_is_offered_the_nearest(command: Command, tmp_path: Path) -> None:
    (tmp_path / "voice-harness.toml").write_text(f'[targets.staging]\nkind = "session"\nurl = "{URL}"\n')
    said = command("run", "s.yaml", "--target", "stagin")
    assert said.code == 2
    assert "did you mean 'staging'?" in said.error


def test_the_first_files_are_right_but_for_what_only_their_owner_knows(command: Command, tmp_path: Path) -> None:
    assert command("init", "own").code == 0
    own = tmp_path / "own"
    assert "1 turn" not in command("validate", own / "scenarios" / "first-call.yaml").out
    (own / "voice-harness.toml").rename(tmp_path / "voice-harness.toml")
    said = command("run", own / "scenarios" / "first-call.yaml")
    assert said.code == 2
    assert "export STAGING_VOICE_KEY=" in said.error
    plan = command("run", own / "scenarios" / "first-call.yaml", "--dry-run", env={"STAGING_VOICE_KEY": KEY})
    assert "target staging (https://api.oshara.ai/api/agents/agent-session/)" in plan.out
    again = command("init", "own")
    assert again.code == 2
    assert "--force" in again.error


def test_a_session_is_asked_of_a_stack_that_runs(command: Command) -> None:
    said = command("stack", "session", "--target", "embedded")
    assert said.code == 2
    assert "voice-harness stack up" in said.error


def test_children_that_a_library_starts_inherit_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "voice-harness.toml").write_text(
        '[targets.a]\nkind = "session"\nurl = "https://a.example/"\napi_key_env = "PLAIN"\nagent = "x"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAIN", "key-without-prefix")
    monkeypatch.setenv("VOICE_HARNESS_API_KEY", KEY)
    target = resolve_target("a")
    assert target.api_key == Secret("key-without-prefix")
    inherited = subprocess.run(["/usr/bin/env"], capture_output=True, text=True, check=True).stdout
    assert "PATH=" in inherited
    assert "key-without-prefix" not in inherited
    assert KEY not in inherited


def test_two_targets_with_one_key_variable_are_warned_of_with_both_places(command: Command, tmp_path: Path) -> None:
    one = f'kind = "session"\nurl = "{URL}"\nagent = "x"\napi_key_env = "VOICE_KEY"\n'
    other = one.replace("127.0.0.1:9", "127.0.0.1:10")
    file = tmp_path / "voice-harness.toml"
    file.write_text(f"[targets.staging]\n{one}\n[targets.prod]\n{other}")
    said = command("run", "s.yaml", "--target", "staging", "--dry-run", env={"VOICE_KEY": KEY})
    assert said.code == 0
    assert said.err.startswith("warning: the targets staging (")
    assert f"staging ({file}:5) and prod ({file}:11) use the same variable, VOICE_KEY" in said.err
    assert "\n  hint: " in said.err
    assert KEY not in said.err


def test_the_variable_that_is_left_out_is_one_as_well(command: Command, tmp_path: Path) -> None:
    one = f'kind = "session"\nurl = "{URL}"\nagent = "x"\n'
    (tmp_path / "voice-harness.toml").write_text(f"[targets.a]\n{one}[targets.b]\n{one}")
    said = command("run", "s.yaml", "--target", "a", "--dry-run", env={"VOICE_HARNESS_API_KEY": KEY})
    assert said.code == 0
    assert "use the same variable, VOICE_HARNESS_API_KEY" in said.err


def test_targets_with_a_key_of_their_own_or_none_are_not_warned_of(command: Command, tmp_path: Path) -> None:
    session = 'kind = "session"\nurl = "https://x.example/"\nagent = "x"\n'
    backend = 'kind = "backend"\nurl = "https://x.example/"\nagent = "x"\n'
    (tmp_path / "voice-harness.toml").write_text(
        f'[targets.a]\n{session}api_key_env = "A_KEY"\n[targets.b]\n{session}'
        f"[targets.c]\n{backend}[targets.d]\n{backend}"
    )
    said = command("run", "s.yaml", "--target", "a", "--dry-run", env={"A_KEY": KEY})
    assert said.code == 0
    assert "warning" not in said.err
