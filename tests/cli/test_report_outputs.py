"""`report` for other programs, and what a run writes for CI: JSON, Markdown, annotations, traces."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.report.published import Published, published_schema
from harness.testing import FakeSessionService, refusal
from tests.cli.conftest import KEY, ROOT, Command, write_scenario
from tests.cli.served import served

RECORDED = ROOT / "tests/recorded"


@pytest.fixture
def failed_run(tmp_path: Path) -> Path:
    shutil.copytree(RECORDED / "faults-light", tmp_path / "run")
    return tmp_path / "run"


def test_json_is_the_whole_run_and_nothing_else(command: Command, failed_run: Path) -> None:
    said = command("report", "run", "--json")
    assert (said.code, said.err) == (3, "")
    document = Published.model_validate_json(said.out)
    assert document.summary is not None
    assert document.summary.exit_code == 3
    assert len(document.calls) == 10


def test_the_schema_of_the_report_is_printed(command: Command) -> None:
    said = command("schema", "--report")
    assert json.loads(said.out) == published_schema()
    assert json.loads(command("schema").out)["title"] == "voice-harness scenario"


def test_markdown_is_printed_with_links(command: Command, failed_run: Path) -> None:
    said = command("report", "run", "--markdown", "--report-url", "https://ci.example/report.html")
    assert said.code == 3
    assert said.out.startswith("## ✗ Infrastructure failed; and: Failed: the agent fell short\n")
    assert "](<https://ci.example/report.html#call=0001-crashes" in said.out


def test_annotations_are_printed_for_both_servers(command: Command, failed_run: Path) -> None:
    said = command("report", "run", "--annotations", "github")
    assert said.code == 3
    lines = said.out.splitlines()
    assert all(line.startswith("::error title=") for line in lines)
    assert any(",file=mute.yaml,line=8,col=14::0002-mute: no reply came" in line for line in lines)
    issues = json.loads(command("report", "run", "--annotations", "gitlab").out)
    assert {"path": "mute.yaml", "lines": {"begin": 8}} in [issue["location"] for issue in issues]


def test_a_trace_is_written_and_nothing_else_changes(command: Command, failed_run: Path) -> None:
    before = {path: path.read_bytes() for path in failed_run.rglob("*") if path.is_file()}
    said = command("report", "run", "--trace")
    assert (said.code, said.out) == (0, "trace: run/traces/0001-crashes.json (open it at ui.perfetto.dev)\n")
    assert command("report", "run", "--trace", "0007-unauthorized").code == 0
    assert json.loads((failed_run / "traces/0007-unauthorized.json").read_text())["otherData"]["ok"] is False
    now = {path: path.read_bytes() for path in failed_run.rglob("*") if path.is_file() and path.parent.name != "traces"}
    assert now == before


def test_a_call_of_a_killed_run_that_has_no_line_has_a_trace(command: Command, tmp_path: Path) -> None:
    shutil.copytree(RECORDED / "killed", tmp_path / "run")
    assert command("report", "run", "--trace", "0003-smoke").code == 0
    killed = json.loads((tmp_path / "run/traces/0003-smoke.json").read_text())
    assert killed["otherData"]["ended"] is False
    said = command("report", "run", "--annotations", "github")
    assert said.code == 130
    assert said.out == "::warning title=voice-harness::the run has no end: it was killed, or is still going on\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--json", "--markdown"), "--json and --markdown cannot be combined"),
        (("--annotations", "sarif"), "--annotations must be github or gitlab (got 'sarif')"),
        (("--markdown", "summary.md"), "'summary.md' names a call, which only --trace takes"),
        (("--report-url", "https://x.example"), "--report-url needs --markdown"),
        (("--markdown", "--report-url", "javascript:alert(1)"), "--report-url must begin with https:// or http://"),
        (("--trace", "0011-none"), "this run has no timeline of a call '0011-none'"),
    ],
)
def test_what_does_not_go_together_is_refused(
    command: Command, failed_run: Path, words: tuple[str, ...], told: str
) -> None:
    said = command("report", "run", *words)
    assert said.code == 2
    assert told in said.error


def test_a_run_in_github_actions_annotates_its_scenario_and_writes_its_summary(
    command: Command, tmp_path: Path
) -> None:
    write_scenario(tmp_path, "name: a\nturns:\n  - say: hello\n")
    env = {"VOICE_HARNESS_API_KEY": KEY, "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path.parent)}
    with served(FakeSessionService(refusal(403))) as service:
        words = ["run", "s.yaml", "--target", service.url, "--agent", "x", "--out", "run", "--markdown", "summary.md"]
        said = command(*words, env=env)
    assert said.code == 3, said.out
    (line,) = [line for line in said.out.splitlines() if line.startswith("::")]
    assert line.startswith(f"::error title=a%3A session.unauthorized,file={tmp_path.name}/s.yaml,line=1::0001-a: ")
    assert said.out.splitlines()[-1].startswith("INFRASTRUCTURE  0 of 1 call ok")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("## ✗ Infrastructure failed\n")


def test_a_typo_in_a_scenario_is_annotated_at_its_line(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, "name: a\nturns:\n  - sya: hello\n")
    said = command("validate", "s.yaml", env={"GITHUB_ACTIONS": "true"})
    assert said.code == 2
    assert "::error title=voice-harness,file=s.yaml,line=3,col=5::" in said.out
    assert "::" not in command("validate", "s.yaml").out


def test_options_for_ci_are_checked_before_anyone_is_called(command: Command, tmp_path: Path) -> None:
    write_scenario(tmp_path, "name: a\nturns:\n  - say: hello\n")
    words = ("run", "s.yaml", "--target", "embedded", "--dry-run")
    assert "--annotations must be github or none" in command(*words, "--annotations", "gitlab").error
    assert command(*words, "--markdown", "s.yaml/x.md").error.startswith("--markdown: s.yaml/x.md cannot be written")
