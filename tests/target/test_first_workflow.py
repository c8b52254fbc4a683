"""The workflow and the actions that `init` writes: their steps run here as they are, but without the installation."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from harness.installed_from import installed_from, pinned_git_url
from harness.target.first_workflow import (
    ACTION_FILE,
    COMMENT_FILE,
    UNKNOWN_SOURCE,
    WORKFLOW_FILE,
    workflow,
)
from harness.target.init import write_first_files
from harness.testing import FakeSessionService, ScriptedAnswer, good_session, refusal
from tests.target.ci_runners import Github, Ran, read

KEY = "sk_workflow_tests_only_0123456789"
SOURCE = "git+https://git.example/team/voice-harness@0123456789abcdef"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
INSTALL, VALIDATE, CALL, MAKE, VERDICT = (
    "Install voice-harness",
    "Check the scenarios",
    "Call the agent",
    "Make the report",
    "Verdict",
)
FORK = "github.event.pull_request.head.repo.fork || github.event.pull_request.user.login == 'dependabot[bot]'"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_first_files(tmp_path / "repository", source=SOURCE)
    return tmp_path / "repository"


async def _called(
    folder: Path, answer: ScriptedAnswer, *, without: Collection[str] = (), **inputs: str
) -> tuple[dict[str, Ran], FakeSessionService, Github]:
    async with FakeSessionService(answer=answer) as service:
        config = folder / "voice-harness.toml"
        config.write_text(re.sub(r'(?m)^url = ".*"$', f'url = "{service.url}"', config.read_text(), count=1))
        runner = Github(folder, **{"secrets.STAGING_VOICE_KEY": KEY})
        return await asyncio.to_thread(runner.use, "call", CALL, without=without, **inputs), service, runner


async def test_its_steps_check_the_scenarios_call_the_agent_and_leave_a_report(folder: Path) -> None:
    ran, service, runner = await _called(folder, good_session(livekit_url="ws://127.0.0.1:9"))
    assert ran[VALIDATE].returncode == 0, ran[VALIDATE].stderr
    assert ran[CALL].returncode == 0, "the report is to be made, so the last step decides"
    assert len(service.requests) == 3
    assert service.requests[0].json()["agent"] == "the-agent-id"
    assert service.requests[0].headers["x-api-key"] == KEY
    assert "check the livekit_url" in ran[CALL].stdout
    for written in ("calls.failed rate<=10%", "turn.ttfa p(95)<5s"):
        assert f"threshold {written}" in ran[CALL].stdout
    report = Path(runner.values["steps.report.outputs.folder"])
    assert {"report.html", "junit.xml", "summary.json", "report.md"} <= {path.name for path in report.iterdir()}
    assert runner.summary.read_text() == (report / "report.md").read_text()
    assert runner.summary.read_text()
    assert (ran[VERDICT].returncode, runner.values["steps.call.outputs.exit-code"]) == (3, "3")
    assert "::error title=voice agent not reached::" in ran[VERDICT].stdout
    assert KEY not in "".join(each.stdout + each.stderr for each in ran.values())


async def test_a_key_that_is_refused_fails_and_names_the_secret(folder: Path) -> None:
    ran, _, _ = await _called(folder, refusal(401), without=(VALIDATE, MAKE))
    assert ran[VERDICT].returncode == 3
    assert "check that the key in STAGING_VOICE_KEY is correct" in ran[CALL].stdout


async def test_a_redacted_report_is_all_that_is_published(folder: Path) -> None:
    secret = "Our cafe opens at nine on Saturdays"
    scenario = folder / "scenarios/first-call.yaml"
    scenario.write_text(scenario.read_text().replace("What can you help me with?", secret))
    ran, _, runner = await _called(
        folder, good_session(livekit_url="ws://127.0.0.1:9"), without=(VALIDATE,), redact="true"
    )
    report = Path(runner.values["steps.report.outputs.folder"])
    assert secret in (runner.work / "run/run.json").read_text()
    assert (report / "summary.json").exists()
    assert [path for path in report.rglob("*") if path.is_file() and secret in path.read_text()] == []
    shown = "".join(each.stdout + each.stderr for each in ran.values())
    assert secret not in shown, "the log of a job is as public as its report"
    assert "INFRASTRUCTURE" in shown
    assert ran[VERDICT].returncode == 3


async def test_without_a_call_a_redacted_job_still_says_what_is_wrong(folder: Path) -> None:
    ran, _, _ = await _called(folder, good_session(), without=(VALIDATE, MAKE), redact="true", args="--calls=0")
    assert "--calls" in ran[CALL].stdout
    assert ran[VERDICT].returncode == 2


def test_where_the_report_cannot_be_redacted_nothing_of_the_run_is_published(folder: Path) -> None:
    runner = Github(folder, **{"inputs.redact": "true", "steps.call.outputs.exit-code": "0"})
    runner.values["steps.install.outputs.work"] = str(runner.work)
    (runner.work / "run").mkdir()
    (runner.work / "run/calls.jsonl").write_text("a text\n")
    ran = runner.run(runner.action_step(MAKE))
    assert "could not be redacted" in ran.stdout
    report = Path(runner.values["steps.report.outputs.folder"])
    assert [path.name for path in report.iterdir()] == ["report.md"]


@pytest.mark.parametrize(
    ("code", "on_unfit", "says", "exits"),
    [
        ("0", "fail", "", 0),
        ("1", "fail", "::error title=voice agent fell short", 1),
        ("2", "fail", "::error title=voice-harness", 2),
        ("3", "pass", "::error title=voice agent not reached", 3),
        ("4", "fail", "::warning title=voice agent not measured", 4),
        ("4", "pass", "::warning title=voice agent not measured", 0),
        ("130", "pass", "::error title=voice-harness::ended with exit code 130", 130),
    ],
)
def test_each_exit_code_is_told_apart(folder: Path, code: str, on_unfit: str, says: str, exits: int) -> None:
    runner = Github(folder, **{"steps.call.outputs.exit-code": code, "inputs.on-unfit": on_unfit})
    ran = runner.run(runner.action_step(VERDICT))
    assert ran.returncode == exits
    assert ran.stdout.startswith(says)
    assert ("::error" in ran.stdout) == (code not in ("0", "4")), "what was not measured is not the agent's failure"


def test_the_report_is_uploaded_also_where_the_run_failed_and_before_the_verdict(folder: Path) -> None:
    runner = Github(folder)
    steps = runner.action["runs"]["steps"]
    names = [step.get("name", step.get("uses")) for step in steps]
    keep = steps[names.index("Keep the report")]
    assert keep["if"].startswith("always()")
    assert keep["uses"].startswith("actions/upload-artifact@")
    assert names.index("Make the report") < names.index("Keep the report") < names.index(VERDICT) == len(names) - 1


def test_it_runs_on_pull_requests_and_pushes_to_the_main_branch(folder: Path) -> None:
    assert folder.joinpath(WORKFLOW_FILE).relative_to(folder).parts[:2] == (".github", "workflows")
    on = Github(folder).workflow["on"]
    assert set(on) == {"pull_request", "push"}, "pull_request_target would run a fork's code with secrets"
    assert on["push"]["branches"] == ["main", "master"]


def test_with_the_key_the_agent_is_called(folder: Path) -> None:
    runner = Github(folder, **{"secrets.STAGING_VOICE_KEY": KEY, FORK: "false"})
    assert runner.run(runner.step("key", "Is the key there?")).returncode == 0
    assert runner.output.read_text() == "target=staging\n"
    assert runner.step("call", CALL)["if"] == "needs.key.outputs.target == 'staging'"


def test_a_fork_without_secrets_calls_the_embedded_stack_and_says_so(folder: Path) -> None:
    runner = Github(folder, **{FORK: "true"})
    ran = runner.run(runner.step("key", "Is the key there?"))
    assert ran.returncode == 0
    assert runner.output.read_text() == "target=embedded\n"
    assert ran.stdout.startswith("::notice title=voice agent not called::")
    step = runner.step("call", "Call the embedded stack's agent")
    assert step["if"] == "needs.key.outputs.target == 'embedded'"
    assert (step["with"]["target"], step["with"]["check"]) == ("embedded", "scenarios")
    assert "secrets." not in json.dumps(step)
    runner.values |= {"inputs.note": step["with"]["note"], "steps.call.outputs.exit-code": "0"}
    runner.values["steps.install.outputs.work"] = str(runner.work)
    runner.run(runner.action_step(MAKE))
    assert runner.summary.read_text().startswith("**The voice agent was not called**")


def test_a_missing_secret_of_ones_own_is_an_error(folder: Path) -> None:
    runner = Github(folder, **{FORK: "false"})
    ran = runner.run(runner.step("key", "Is the key there?"))
    assert ran.returncode == 2
    assert "::error" in ran.stdout
    assert runner.output.read_text() == ""


def test_only_the_job_that_comments_may_write_and_only_one_step_has_the_key(folder: Path) -> None:
    runner = Github(folder)
    assert runner.workflow["permissions"] == {}
    rights = {name: job["permissions"] for name, job in runner.workflow["jobs"].items()}
    assert {name for name, right in rights.items() if "write" in right.values()} == {"comment"}
    assert [step["name"] for step in runner.action["runs"]["steps"] if "inputs.key }}" in json.dumps(step)] == [CALL]


def test_every_action_of_others_is_pinned_to_a_commit_and_no_text_of_the_event_is_in_a_script(folder: Path) -> None:
    for file in (WORKFLOW_FILE, ACTION_FILE, COMMENT_FILE):
        text = (folder / file).read_text()
        used = [use for use in re.findall(r"(?m)^ *(?:- )?uses: (\S+)", text) if not use.startswith("./")]
        assert used
        assert [use for use in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", use)] == []
        assert [script for script in _scripts(read(folder / file)) if "${{" in script] == []


def _scripts(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node[key] for key in ("run", "script") if isinstance(node.get(key), str)]
        return own + [script for each in node.values() for script in _scripts(each)]
    return [script for each in node for script in _scripts(each)] if isinstance(node, list) else []


@pytest.mark.parametrize(("target", "wanted"), [("staging", SOURCE), ("embedded", f"voice-harness[stack] @ {SOURCE}")])
def test_it_installs_from_a_source_that_it_names(folder: Path, tmp_path: Path, target: str, wanted: str) -> None:
    runner = Github(folder, **{"inputs.source": SOURCE, "inputs.target": target})
    step = runner.action_step(INSTALL)
    said = runner.run({**step, "run": step["run"].replace("python -m pip install --quiet", "printf '%s\\n'")})
    assert said.stdout == f"{wanted}\n", said.stderr
    assert re.fullmatch(r"v[\d.]+-\w+-\w+", runner.values["steps.install.outputs.server"])
    given = runner.step("call", CALL)["with"]
    assert runner.filled(given["source"]) == SOURCE


def test_where_the_source_is_not_known_the_action_says_where_to_name_it(tmp_path: Path) -> None:
    write_first_files(tmp_path / "repository")
    runner = Github(tmp_path / "repository", **{"inputs.source": UNKNOWN_SOURCE})
    assert runner.workflow["env"] == {"VOICE_HARNESS_SOURCE": UNKNOWN_SOURCE}
    ran = runner.run(runner.action_step(INSTALL))
    assert ran.returncode == 2
    assert "set VOICE_HARNESS_SOURCE in the workflow" in ran.stdout
    assert read(tmp_path / "repository" / WORKFLOW_FILE).keys() == Github(tmp_path / "repository").workflow.keys()
    assert workflow(None) != workflow(SOURCE)


def test_without_a_source_the_action_installs_the_repository_that_it_lies_in(folder: Path) -> None:
    step = Github(folder).action_step(INSTALL)
    shown = {**step, "run": step["run"].replace("python -m pip install --quiet", "printf '%s\\n'")}
    here = Github(folder, **{"github.action_path": str(ROOT), "inputs.target": "staging"})
    assert here.run(shown).stdout == f"{ROOT}\n"
    copied = Github(folder, **{"github.action_path": str(folder / ".github/actions/voice-harness")})
    assert copied.run(shown).returncode == 2


COMMENT = """\
const calls = []
const rest = {
  issues: {
    listComments: 'list',
    updateComment: (given) => calls.push(['update', given]),
    createComment: (given) => calls.push(['create', given]),
  },
}
const github = {rest, paginate: async () => JSON.parse(process.env.COMMENTS)}
const context = {serverUrl: 'https://git.example', repo: {owner: 'o', repo: 'r'}, runId: 7, issue: {number: 5}}
const AsyncFunction = (async () => {}).constructor
new AsyncFunction('github', 'context', 'require', process.env.SCRIPT)(github, context, require)
  .then(() => console.log(JSON.stringify(calls)))
"""


def _commented(folder: Path, report: str | None, comments: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """What the comment's script does: its only call."""
    node = shutil.which("node")
    assert node is not None, "the tests of the call page need Node as well"
    step = read(folder / COMMENT_FILE)["runs"]["steps"][1]
    file = folder / "report.md"
    if report is not None:
        file.write_text(report)
    env = {
        "SCRIPT": step["with"]["script"],
        "REPORT": str(file),
        "NAME": "voice agent",
        "COMMENTS": json.dumps(comments),
    }
    ran = subprocess.run([node, "-e", COMMENT], env=env, capture_output=True, text=True, timeout=60, check=True)
    ((does, given),) = json.loads(ran.stdout)
    return does, given


MARK = "<!-- voice-harness: voice agent -->"


def test_the_first_run_comments_and_each_further_one_updates_that_comment(folder: Path) -> None:
    does, given = _commented(folder, "**PASS** `x` ${{ secrets.A }}", [])
    assert (does, given["issue_number"]) == ("create", 5)
    assert given["body"].startswith(f"{MARK}\n**PASS** `x` ${{{{ secrets.A }}}}")
    assert "https://git.example/o/r/actions/runs/7" in given["body"]
    comments = [
        {"id": 1, "user": {"type": "User"}, "body": f"{MARK} by somebody who copied it"},
        {"id": 2, "user": {"type": "Bot"}, "body": "<!-- voice-harness: another suite -->"},
        {"id": 3, "user": {"type": "Bot"}, "body": given["body"]},
    ]
    does, given = _commented(folder, "**FAIL**", comments)
    assert (does, given["comment_id"]) == ("update", 3)


def test_a_run_without_a_report_replaces_the_old_comment_and_a_long_one_fits(folder: Path) -> None:
    old = [{"id": 3, "user": {"type": "Bot"}, "body": f"{MARK}\n**PASS**"}]
    does, given = _commented(folder, None, old)
    assert does == "update"
    assert "There is no report" in given["body"]
    _, given = _commented(folder, "x" * 200_000, [])
    assert len(given["body"]) <= 65_536


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
