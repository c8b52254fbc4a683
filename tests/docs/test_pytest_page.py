"""The examples of docs/pytest.md, run as they stand in a user's project; calls are made up."""

from __future__ import annotations

import re

import pytest

from tests.pytest_plugin.project import ROOT, SERVICE, Project

pytest_plugins = ("pytester",)
PAGE = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
TOML = f"""
[targets.staging]
kind = "session"
url = "{SERVICE}"
api_key_env = "VOICE_HARNESS_API_KEY"
agent = "demo"
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(pytester, monkeypatch)


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_each_example_passes(project: Project) -> None:
    [ini], [scenario] = examples("ini"), examples("yaml")
    code = examples("python")
    tests = sum(len(re.findall(r"^(?:async )?def test_", example, re.MULTILINE)) for example in code)
    assert tests >= 4
    project.write("pytest.ini", ini)
    project.write("voice-harness.toml", TOML)
    project.write("scenarios/opening.yaml", scenario)
    project.write("tests/test_examples.py", "import pytest\n" + "\n".join(code))
    made = project.pytest("-m", "quick or not quick")
    made.assert_outcomes(passed=tests + 1 + 1)  # the scenario, and one that is parametrized twice


def test_the_options_of_the_page_are_those_of_the_plugin(project: Project) -> None:
    told = set(re.findall(r"^\| `(--voice-[a-z-]+|voice_scenarios)", PAGE, re.MULTILINE))
    said = project.pytest_here("--help").stdout.str()
    assert told == set(re.findall(r"--voice-[a-z-]+(?==|\s)", said)) | {"voice_scenarios"}


def test_the_commands_of_the_page_are_accepted(project: Project) -> None:
    project.write("voice-harness.toml", TOML)
    project.configure("voice_scenarios = scenarios")
    project.scenario("smoke", tags="smoke")
    commands = re.findall(r"^    pytest (.*)$", PAGE, re.MULTILINE)
    assert len(commands) >= 3
    for words in commands:
        made = project.pytest_here("--collect-only", *words.split())
        assert made.ret == pytest.ExitCode.OK, words
