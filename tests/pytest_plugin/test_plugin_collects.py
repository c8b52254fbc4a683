"""Which files pytest takes for scenarios, and how their tests are selected."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.project import PLUGINS, SERVICE, Project

pytest_plugins = ("pytester",)

BROKEN = "name: broken\nturns:\n  - tipe: Hello\n  - say: when-do-you-open\n    expect: {tfta: <2s}\n"
DIALOGUES = "turns:\n  - {speaker: A, text: Hello}\n"  # of another tool


@pytest.fixture
def mixed(project: Project) -> Project:
    """A project with a scenario, tests in Python, and YAML files of other tools."""
    project.scenario("opening", tags="quick, with-dash, '2x: (odd)', skip")
    project.scenario("parking", tags="quick")
    project.write("tests/test_plain.py", "def test_plain(): ...\ndef test_calls(voice_call): ...\n")
    project.write("tests/data/dialogues.yaml", DIALOGUES)
    project.write("deploy/values.yml", "replicas: 2\n")
    return project


PLAIN = ["tests/test_plain.py::test_plain", "tests/test_plain.py::test_calls"]
BOTH = ["scenarios/opening.yaml::opening", "scenarios/parking.yaml::parking"]


def test_a_project_that_names_no_scenarios_keeps_its_yaml_files_to_itself(mixed: Project) -> None:
    assert mixed.names() == PLAIN
    assert mixed.names("scenarios", "tests") == PLAIN, "folders alone do not ask for calls"


def test_scenarios_are_what_the_command_line_names(mixed: Project) -> None:
    assert mixed.names("--voice-target=embedded", "scenarios", "deploy", "-n0") == BOTH
    assert mixed.names("scenarios/parking.yaml", "scenarios/opening.yaml::opening") == [BOTH[1], BOTH[0]]


def test_scenarios_are_what_the_configuration_names(mixed: Project) -> None:
    mixed.configure("voice_scenarios = scenarios")
    assert mixed.names() == [*BOTH, *PLAIN]
    assert mixed.names("-m", "with-dash and quick") == BOTH[:1]
    assert mixed.names("-k", "quick and not opening or plain and not calls") == [BOTH[1], PLAIN[0]]
    assert mixed.names("-k", "skip") == BOTH[:1], "a tag that is no marker is still a keyword"
    assert mixed.names("-m", "not voice") == PLAIN[:1]


def test_a_broken_scenario_is_an_error_with_its_lines_and_hints(mixed: Project) -> None:
    mixed.configure("voice_scenarios = scenarios")
    mixed.write("scenarios/broken.yaml", BROKEN)
    made = mixed.pytest_here("--collect-only")
    assert made.ret == pytest.ExitCode.INTERRUPTED
    made.stdout.fnmatch_lines(
        [
            "*ERROR collecting scenarios/broken.yaml*",
            "scenarios/broken.yaml:3:5: unknown key 'tipe'; did you mean 'type'?",
            "  hint: use one of: *",
            "scenarios/broken.yaml:5:14: unknown key 'tfta'; did you mean 'ttfa'?",
        ]
    )


def test_the_first_failure_ends_the_run_and_failed_scenarios_run_again(project: Project) -> None:
    project.configure("voice_scenarios = scenarios", f"voice_target = {SERVICE}")
    project.scenario("a", agent="unfit")
    project.scenario("b")
    made = project.pytest_here("-x", "-v")
    made.stdout.fnmatch_lines(["scenarios/a.yaml::a UNFIT *", "*stopping after 1 failures*"])
    assert "passed" not in made.outlines[-1]
    assert project.names("--lf") == ["scenarios/a.yaml::a"]


def test_an_option_that_is_not_valid_is_an_error_of_the_tests_that_call(mixed: Project) -> None:
    mixed.configure("voice_target = nowhere")
    made = mixed.pytest_here()
    made.assert_outcomes(passed=1, errors=1)
    made.stdout.fnmatch_lines(["E *ConfigError: --target: unknown target 'nowhere'*"])


@pytest.mark.parametrize("mode", ["without a plugin", "in strict mode"])
def test_an_async_test_that_nothing_runs_fails_and_says_how_to_run_it(project: Project, mode: str) -> None:
    without = PLUGINS[:-2] if mode == "without a plugin" else PLUGINS
    project.write("pytest.ini", "[pytest]\n")
    project.write("test_hello.py", "async def test_hello(voice_call):\n    await voice_call('smoke')\n")
    made = project.pytest_here(f"--voice-target={SERVICE}", plugins=without)
    made.assert_outcomes(failed=1)
    made.stdout.fnmatch_lines(["no plugin runs this async test, so nothing was called", "  hint: *voice_call.now*"])


def test_on_another_event_loop_than_asyncios_the_test_says_so(project: Project) -> None:
    code = "def test_hello(voice_call):\n    voice_call('smoke').send(None)\n"
    project.write("test_hello.py", code)
    made = project.pytest_here(f"--voice-target={SERVICE}")
    made.assert_outcomes(failed=1)
    made.stdout.fnmatch_lines(["E *UsageError: voice_call needs the event loop of asyncio", "E *hint: with anyio *"])
