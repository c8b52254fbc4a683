"""`run --against…`: what is called in turns, and what is refused before any call."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.run.reading import read_targets
from harness.secret import Secret
from tests.cli.conftest import Command, write_scenario

SCENARIO = "name: typed\nturns:\n  - type: hello\n"
AGENTS = "agents:\n  v1: &v1 {prompt: Yes., greeting: Hello.}\n  v2: *v1\n"
CONFIG = """
default_target = "ours"
[targets.ours]
kind = "embedded"
agents = "agents.yaml"
agent = "v2"
[targets.theirs]
kind = "embedded"
agents = "others.yaml"
[targets.staging]
kind = "session"
url = "https://staging.example/api/agents/agent-session/"
api_key_env = "STAGING_KEY"
agent = "theirs-v1"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_scenario(tmp_path, SCENARIO)
    for name in ("agents.yaml", "others.yaml"):
        (tmp_path / name).write_text(AGENTS, encoding="utf-8")
    (tmp_path / "voice-harness.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_KEY", "sk_staging_0123456789abcdef")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--against-agent", "v1"], "agent v2 in turns with agent v1, typed: 2 calls, 1 at once, 2 sessions"),
        (["--against", "staging"], "agent v2 in turns with staging, typed"),
        (["--against-set", "session.greeting=One\n\x1b[2Jtwo."], "in turns with session.greeting=One ␛[2Jtwo., typed"),
        (
            ["--against-set", "session.greeting=Hi.", "--calls", "3", "--repeat", "4"],
            "agent v2 in turns with session.greeting=Hi., typed: 24 calls, 3 at once, 24 sessions",
        ),
        (
            ["--against-agent", "v1", "--repeat", "auto", "--max-sessions", "100"],
            "at most 100 calls, 1 at once, until the comparison is decided after 10, 20 or 50 calls a side",
        ),
        (["--against-agent", "v1", "--rate", "60", "--duration", "1m"], "60 calls at 60 a minute"),
    ],
)
def test_the_plan_says_what_is_called_in_turns(command: Command, words: list[str], told: str) -> None:
    said = command("run", "s.yaml", "--dry-run", *words)
    assert said.code == 0, said.err
    assert told in said.out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--against-agent", "v1", "--baseline", "main"], "--baseline and --against cannot be combined"),
        (["--repeat", "auto"], "--repeat auto needs --baseline or --against"),
        (["--smallest-effect", "10%"], "--smallest-effect needs --baseline or --against"),
        (["--repeat", "often"], "--repeat must be a whole number or auto (got 'often')"),
        (["--max-sessions", "9"], "--max-sessions needs --repeat auto"),
        (["--against-agent", "v1", "--repeat", "auto", "--max-sessions", "1"], "--max-sessions must be at least 2"),
        (["--against-agent", "v1", "--repeat", "auto", "--rate", "9"], "--repeat auto and --rate cannot be combined"),
        (["--against-agent", ""], "--against-agent: the agent's id must not be empty"),
        (["--agent", " "], "--agent: the agent's id must not be empty"),
        (["--against-set", "name=other"], "--against-set: the two versions have different scenarios"),
        (["--agent", "v2", "--against-set", "agent=v3"], "unknown agent 'v3'"),
        (["--against-agent", "v3"], "unknown agent 'v3'"),
        (["--against", "nowhere"], "--against: unknown target 'nowhere'"),
        (["--against", "theirs"], "--against: ours and theirs are two embedded stacks, and only one can run"),
        (["--against-set", "greeting"], "--against-set: 'greeting' is not KEY=VALUE"),
        (["--against-set", "turns.0.type=bye"], "--against-set: the two versions of typed differ in what the caller"),
        (["--against-set", "timeouts.reply=3s"], "--against-set: the two versions of typed differ in what the caller"),
        (["--against-set", "turns.0.expect.ttfa=<1s"], "--against-set: the two versions of typed differ"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_any_call(command: Command, words: list[str], told: str) -> None:
    said = command("run", "s.yaml", "--dry-run", *words)
    assert said.code == 2
    assert told in said.error
    assert "\n  hint: " in said.error


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "is_same"),
    [
        (["--against-agent", "v2"], True),
        (["--set", "session.language=fr", "--against-set", "session.language=fr"], True),
        (["--against", "ours"], True),
        (["--against-agent", "v1"], False),
        (["--agent", "v2", "--against-set", "agent=v1"], False),
        (["--against-set", "session.language=fr"], False),
        (["--against", "staging"], False),
    ],
)
def test_a_version_that_is_called_in_turns_with_itself_is_noted(
    command: Command, words: list[str], is_same: bool
) -> None:
    said = command("run", "s.yaml", "--dry-run", *words)
    assert said.code == 0, said.err
    assert ("note: both versions are the same one" in said.out + said.err) is is_same


def test_tags_by_which_scenarios_are_selected_are_those_of_both_versions(command: Command, folder: Path) -> None:
    write_scenario(folder, SCENARIO.replace("typed", "other"), "other.yaml")
    selected = ("run", "s.yaml", "other.yaml", "--dry-run", "-k", "other or slow")
    assert command(*selected).code == 0
    said = command(*selected, "--against-set", "tags=[slow]")
    assert said.code == 2
    assert "the two versions have different scenarios" in said.error


def test_both_targets_may_use_one_key_and_no_child_inherits_it(folder: Path) -> None:
    del folder
    targets = read_targets("staging", "staging", warn=print)
    assert [target.api_key == Secret("sk_staging_0123456789abcdef") for target in targets] == [True, True]
    assert "STAGING_KEY" not in os.environ
