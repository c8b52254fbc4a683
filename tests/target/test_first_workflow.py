"""The workflow that `init` writes: its steps run here as they are, only the installation is left out."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.installed_from import installed_from, pinned_git_url
from harness.target.first_workflow import UNKNOWN_SOURCE, WORKFLOW_FILE, workflow
from harness.target.init import write_first_files
from harness.testing import FakeSessionService, ScriptedAnswer, good_session, refusal

KEY = "sk_workflow_tests_only_0123456789"
SOURCE = "git+https://git.example/team/voice-harness@0123456789abcdef"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
INSTALL, VALIDATE, CALL, KEEP = "Install voice-harness", "Check the scenarios", "Call the agent", "Keep the report"


def _read(text: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(text)


class Runner:
    """Does of a workflow what GitHub's runner does with its shell steps: `${{ … }}` filled in, `bash -e`."""

    def __init__(self, folder: Path, **values: str) -> None:
        self.folder = folder
        self.values = values
        self.workflow = _read((folder / WORKFLOW_FILE).read_text())
        self.output, self.summary = folder.parent / "output", folder.parent / "summary"
        self.output.write_text("")
        self.summary.write_text("")

    def step(self, job: str, name: str) -> dict[str, Any]:
        return next(step for step in self.workflow["jobs"][job]["steps"] if step.get("name") == name)

    def run(self, job: str, name: str) -> subprocess.CompletedProcess[str]:
        step = self.step(job, name)
        env = {key: self._filled(str(value)) for key, value in (self.workflow["env"] | step.get("env", {})).items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        github = {"CI": "true", "GITHUB_OUTPUT": str(self.output), "GITHUB_STEP_SUMMARY": str(self.summary)}
        return subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            env={**os.environ, **github, **env, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda found: self.values.get(found[1], ""), text)


FORK = "github.event.pull_request.head.repo.fork || github.actor == 'dependabot[bot]'"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_first_files(tmp_path / "repository", source=SOURCE)
    return tmp_path / "repository"


async def _called(folder: Path, answer: ScriptedAnswer) -> tuple[subprocess.CompletedProcess[str], FakeSessionService]:
    async with FakeSessionService(answer=answer) as service:
        config = folder / "voice-harness.toml"
        config.write_text(re.sub(r'(?m)^url = ".*"$', f'url = "{service.url}"', config.read_text(), count=1))
        runner = Runner(folder, **{"secrets.STAGING_VOICE_KEY": KEY})
        return await asyncio.to_thread(runner.run, "call", CALL), service


async def test_its_steps_check_the_scenarios_call_the_agent_and_leave_reports(folder: Path) -> None:
    checked = Runner(folder).run("call", VALIDATE)
    assert checked.returncode == 0, checked.stderr
    ran, service = await _called(folder, good_session(livekit_url="ws://127.0.0.1:9"))
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert len(service.requests) == 3
    assert service.requests[0].json()["agent"] == "the-agent-id"
    assert service.requests[0].headers["x-api-key"] == KEY
    assert "check the livekit_url" in ran.stdout
    assert KEY not in ran.stdout + ran.stderr
    for path in Runner(folder).step("call", KEEP)["with"]["path"].split():
        assert (folder / path).exists(), path
    assert "testsuites" in (folder / "reports/ci-junit.xml").read_text()
    for written in ("calls.failed rate<=10%", "turn.ttfa p(95)<5s"):
        assert f"threshold {written}" in ran.stdout


async def test_a_key_that_is_refused_fails_the_step_and_names_the_secret(folder: Path) -> None:
    ran, _ = await _called(folder, refusal(401))
    assert ran.returncode == 3
    assert "check that the key in STAGING_VOICE_KEY is correct" in ran.stdout


def test_the_report_is_kept_also_where_the_run_failed(folder: Path) -> None:
    step = Runner(folder).step("call", KEEP)
    assert step["if"] == "always()"
    assert step["uses"].startswith("actions/upload-artifact@v4")


def test_it_runs_on_pull_requests_and_pushes_to_the_main_branch(folder: Path) -> None:
    assert folder.joinpath(WORKFLOW_FILE).relative_to(folder).parts[:2] == (".github", "workflows")
    on = Runner(folder).workflow["on"]
    assert "pull_request" in on
    assert on["push"]["branches"] == ["main", "master"]


def test_with_the_key_the_calls_are_made(folder: Path) -> None:
    runner = Runner(folder, **{"secrets.STAGING_VOICE_KEY": KEY, FORK: "false"})
    assert runner.run("key", "Is the key there?").returncode == 0
    assert runner.output.read_text() == "there=yes\n"
    job = runner.workflow["jobs"]["key"]
    assert job["outputs"] == {"there": "${{ steps.key.outputs.there }}"}
    assert runner.workflow["jobs"]["call"]["needs"] == "key"
    assert runner.workflow["jobs"]["call"]["if"] == "needs.key.outputs.there == 'yes'"


def test_a_fork_without_secrets_is_skipped_and_that_is_said(folder: Path) -> None:
    runner = Runner(folder, **{FORK: "true"})
    ran = runner.run("key", "Is the key there?")
    assert ran.returncode == 0
    assert runner.output.read_text() == "", "the job that calls is skipped"
    assert ran.stdout.startswith("::notice title=voice agent not called::The voice agent was NOT called")
    assert "NOT called" in runner.summary.read_text()


def test_a_missing_secret_of_ones_own_is_an_error(folder: Path) -> None:
    runner = Runner(folder, **{FORK: "false"})
    ran = runner.run("key", "Is the key there?")
    assert ran.returncode == 2
    assert "::error" in ran.stdout
    assert runner.output.read_text() == ""


def test_it_installs_from_a_source_that_it_names(folder: Path) -> None:
    runner = Runner(folder)
    assert runner.workflow["env"] == {"VOICE_HARNESS_SOURCE": SOURCE}
    assert 'pip install "$VOICE_HARNESS_SOURCE"' in runner.step("call", INSTALL)["run"]
    assert "pip install voice-harness" not in (folder / WORKFLOW_FILE).read_text()


def test_where_the_source_is_not_known_the_workflow_says_where_to_name_it(tmp_path: Path) -> None:
    write_first_files(tmp_path / "repository")
    runner = Runner(tmp_path / "repository")
    assert runner.workflow["env"] == {"VOICE_HARNESS_SOURCE": UNKNOWN_SOURCE}
    ran = runner.run("call", INSTALL)
    assert ran.returncode == 2
    assert f"set VOICE_HARNESS_SOURCE in {WORKFLOW_FILE}" in ran.stdout
    assert _read(workflow(None)).keys() == _read(workflow(SOURCE)).keys()


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("https://git.example/a/b.git", f"git+https://git.example/a/b.git@{COMMIT}"),
        ("https://user:secret@git.example:8443/a/b", f"git+https://git.example:8443/a/b@{COMMIT}"),
        ("git@git.example:a/b.git", f"git+https://git.example/a/b.git@{COMMIT}"),
        ("ssh://git@git.example:2222/a/b.git", f"git+https://git.example/a/b.git@{COMMIT}"),
        ("/home/me/voice-harness", None),
        ("file:///home/me/voice-harness", None),
        ("../voice-harness", None),
        ("", None),
    ],
)
def test_a_source_is_an_address_that_others_reach_without_a_secret_in_it(origin: str, url: str | None) -> None:
    assert pinned_git_url(origin, COMMIT) == url


def test_a_source_without_its_commit_is_none() -> None:
    assert pinned_git_url("https://git.example/a/b.git", "") is None
    source = installed_from()
    assert source is None or source.startswith(("git+", "/"))
