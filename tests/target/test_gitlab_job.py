"""The job of GitLab that `init --ci gitlab` writes: its script runs here as it is, but without the installation."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from harness.target.first_workflow import PIPELINE_FILE, TEMPLATE_FILE, WORKFLOW_FILE
from harness.target.init import write_first_files
from harness.testing import FakeSessionService, good_session
from tests.target.ci_runners import Gitlab, Ran, read

KEY = "sk_pipeline_tests_only_0123456789"
SOURCE = "git+https://git.example/team/voice-harness@0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_first_files(tmp_path, source=SOURCE, ci="gitlab")
    return tmp_path


def _include(folder: Path) -> dict[str, Any]:
    (include,) = read(folder / PIPELINE_FILE)["include"]
    assert include["local"] == TEMPLATE_FILE
    return dict(include["inputs"])


async def _called(folder: Path, **inputs: str) -> tuple[Ran, FakeSessionService]:
    async with FakeSessionService(answer=good_session(livekit_url="ws://127.0.0.1:9")) as service:
        config = folder / "voice-harness.toml"
        config.write_text(re.sub(r'(?m)^url = ".*"$', f'url = "{service.url}"', config.read_text(), count=1))
        job = Gitlab(folder, _include(folder), **inputs)
        return await asyncio.to_thread(job.run, STAGING_VOICE_KEY=KEY), service


async def test_its_script_calls_the_agent_and_leaves_a_report(folder: Path) -> None:
    ran, service = await _called(folder)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert len(service.requests) == 3
    assert service.requests[0].headers["x-api-key"] == KEY
    assert "threshold calls.failed rate<=10%" in ran.stdout
    assert "The voice agent was not reached" in ran.stdout
    assert KEY not in ran.stdout + ran.stderr
    job = Gitlab(folder, _include(folder)).job
    assert (folder / job["artifacts"]["reports"]["junit"]).exists()
    assert job["artifacts"]["when"] == "always"
    assert all((folder / path).exists() for path in job["artifacts"]["paths"])


async def test_a_redacted_report_is_all_that_is_uploaded(folder: Path) -> None:
    secret = "Our cafe opens at nine on Saturdays"
    scenario = folder / "scenarios/first-call.yaml"
    scenario.write_text(scenario.read_text().replace("What can you help me with?", secret))
    ran, _ = await _called(folder, redact="true")
    assert ran.returncode == 3
    report = folder / "voice-harness-report"
    assert (report / "summary.json").exists()
    assert [path for path in report.rglob("*") if path.is_file() and secret in path.read_text()] == []


def _with_fakes(folder: Path, run_exits: int) -> dict[str, str]:
    """A `voice-harness` that only says with which words it was started, to see the script's own decisions."""
    program = folder / "fakes" / "voice-harness"
    program.parent.mkdir()
    program.write_text(f'#!/bin/bash\necho "called: $*"\n[ "$1" = run ] && exit {run_exits} || exit 0\n')
    program.chmod(0o755)
    return {"BASH_ENV": str(folder / "fakes/env")}


@pytest.mark.parametrize(("on_unfit", "exits"), [("fail", 4), ("warn", 75)])
def test_what_was_not_measured_is_told_apart(folder: Path, on_unfit: str, exits: int) -> None:
    job = Gitlab(folder, _include(folder), **{"on-unfit": on_unfit})
    env = _with_fakes(folder, 4)
    Path(env["BASH_ENV"]).write_text(f'PATH="{folder}/fakes:$PATH"\n')
    ran = job.run(STAGING_VOICE_KEY=KEY, **env)
    assert ran.returncode == exits, ran.stdout + ran.stderr
    assert "NOT MEASURED" in ran.stdout
    assert (exits in job.job["allow_failure"]["exit_codes"]) == (on_unfit == "warn")


def test_a_fork_without_the_key_calls_the_embedded_stack_and_says_so(folder: Path) -> None:
    job = Gitlab(folder, _include(folder))
    env = _with_fakes(folder, 0)
    Path(env["BASH_ENV"]).write_text(f'PATH="{folder}/fakes:$PATH"\n')
    forked = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2", "CI_MERGE_REQUEST_PROJECT_ID": "1"}
    ran = job.run(**forked, **env)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"would install voice-harness[stack] @ {SOURCE}" in ran.stdout
    assert "called: validate scenarios" in ran.stdout
    assert "called: run --target embedded --out voice-harness-run smoke --retry-unfit=2" in ran.stdout
    assert (folder / "voice-harness-report/report.md").read_text().startswith("**The voice agent was not called**")


def test_a_missing_key_of_ones_own_and_a_missing_source_are_errors(folder: Path) -> None:
    ran = Gitlab(folder, _include(folder)).run()
    assert ran.returncode == 2
    assert "add the CI/CD variable STAGING_VOICE_KEY" in ran.stdout
    write_first_files(folder / "unknown", ci="gitlab")
    ran = Gitlab(folder / "unknown", _include(folder / "unknown")).run(STAGING_VOICE_KEY=KEY)
    assert ran.returncode == 2
    assert "set the input source" in ran.stdout


def test_a_pipeline_that_is_already_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / PIPELINE_FILE).write_text("mine: {script: [make]}\n")
    for force in (False, True):
        written = write_first_files(tmp_path, source=SOURCE, ci="gitlab", force=force)
        assert (tmp_path / PIPELINE_FILE).read_text() == "mine: {script: [make]}\n"
        assert tmp_path / TEMPLATE_FILE in written
        assert not (tmp_path / WORKFLOW_FILE).exists()


def test_without_a_ci_server_there_is_no_file_for_one(tmp_path: Path) -> None:
    names = {path.relative_to(tmp_path).as_posix() for path in write_first_files(tmp_path, ci="none")}
    assert names == {"voice-harness.toml", "scenarios/first-call.yaml", "reports/.gitignore"}
