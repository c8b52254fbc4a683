from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.scenario.load import load_scenario
from harness.target.choose import choose_target
from harness.target.config import load_config
from harness.target.init import FIRST_FILES, write_first_files


def test_the_first_files_name_a_target_that_works_with_a_key(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    paths = write_first_files(folder)
    assert {str(path.relative_to(folder)) for path in paths} == set(FIRST_FILES)
    config = load_config(folder / "voice-harness.toml")
    target = choose_target(None, config=config, env={"STAGING_VOICE_KEY": "sk_test_1"})
    assert (target.name, target.agent) == ("staging", "the-agent-id")


def test_the_first_scenario_is_valid(tmp_path: Path) -> None:
    write_first_files(tmp_path)
    scenario = load_scenario(tmp_path / "scenarios" / "first-call.yaml", env={})
    assert [step.kind for step in scenario.model.turns] == ["say", "type"]


def test_what_is_commented_out_is_valid_as_well(tmp_path: Path) -> None:
    lines = FIRST_FILES["voice-harness.toml"].splitlines()
    opened = [line.removeprefix("# ") if " = " in line or line.startswith("# [") else line for line in lines]
    path = tmp_path / "voice-harness.toml"
    path.write_text("\n".join(opened))
    config = load_config(path)
    assert set(config.targets) == {"staging", "site"}
    assert len(config.targets["staging"].timeouts.given()) == 7


def test_nothing_is_overwritten_and_nothing_half_done(tmp_path: Path) -> None:
    mine = tmp_path / "scenarios" / "first-call.yaml"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(ConfigError, match=r"scenarios/first-call\.yaml"):
        write_first_files(tmp_path)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "voice-harness.toml").exists()
    write_first_files(tmp_path, force=True)
    assert mine.read_text() == FIRST_FILES["scenarios/first-call.yaml"]


def test_where_one_file_cannot_be_written_none_is_left(tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("a file where a folder should be")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_first_files(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".github"]
