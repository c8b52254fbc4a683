"""What pytest says of calls that did not pass, in its summary and in JUnit, with xdist's workers side by side."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.pytest_plugin.project import KEY, SERVICE, Project

pytest_plugins = ("pytester",)

TESTS = """
import pytest

from harness.testing import FellShort, Scenario, Unfit, VoiceCall, VoiceResult

HELLO = {"turns": [{"type": "Hello", "expect": {"ttfa": "<2s"}}]}


async def test_async(voice_call: VoiceCall) -> None:
    result = await voice_call("good")
    assert isinstance(result, VoiceResult) and result.passed
    assert result.turns[0].ttfa_ms < 1500
    assert result.greeting.ttfa_ms == 500


async def test_fails(voice_call):
    result = await voice_call("good")
    assert result.turns[0].ttfa_ms < 800


def test_scenario_fails(voice_call):
    voice_call.now(HELLO, agent="slow")


def test_unchecked(voice_call):
    result = voice_call.now(Scenario.model_validate(HELLO | {"name": "x"}), agent="slow", check=False)
    assert (result.verdict, result.recording.name) == ("fail", "0001-x.wav")


@pytest.mark.xfail
def test_expected(voice_call):
    voice_call.now("good", sets=["agent=slow"])


@pytest.mark.xfail
def test_unfit_is_never_expected(voice_call):
    voice_call.now("../scenarios/good.yaml", agent="unfit")


def test_unfit_turn(voice_call):
    result = voice_call.now(HELLO, agent="half_unfit", engine="light", check=False)
    assert result.turns[1].ttfa_ms == 1000
    with pytest.raises(Unfit, match="ttfa_ms of turn 1 does not count: a packet left 80 ms late"):
        result.turns[0].ttfa_ms
    with pytest.raises(FellShort, match="turn 2 has no echo_ms"):
        result.turns[1].echo_ms


def test_no_such(voice_call):
    voice_call.now("goof")
"""


@pytest.fixture
def ran(project: Project) -> tuple[pytest.RunResult, Project]:
    project.configure("voice_scenarios = scenarios", f"voice_target = {SERVICE}")
    project.scenario("good", tags="quick")
    project.scenario("slow", agent="slow", tags="skip, xfail")
    project.scenario("unfit", agent="unfit")
    project.scenario("lost", agent="lost")
    project.write("scenarios/rate.yaml", "agent: demo\npass: 2/3\nturns: [{type: Hello, expect: {ttfa: <2s}}]\n")
    project.write("scenarios/variable.yaml", "turns: [{type: 'Hello ${NOT_SET_HERE}'}]\n")
    project.write("tests/test_calls.py", TESTS)
    return project.pytest("-n", "1", "--junitxml=junit.xml", "-rfE", "--voice-out=out"), project


def test_each_outcome_is_told_apart(ran: tuple[pytest.RunResult, Project]) -> None:
    made, project = ran
    said = made.stdout.str()
    # Tags that would skip a test, or excuse it, are no markers of pytest.
    made.assert_outcomes(passed=5, failed=4, xfailed=1, errors=1)
    assert re.search(r"\b2 unfit\b", made.outlines[-1]), said
    assert re.search(r"\b1 unreachable\b", made.outlines[-1]), said
    assert made.ret == pytest.ExitCode.TESTS_FAILED
    made.stdout.fnmatch_lines_random(
        [
            "UNFIT scenarios/unfit.yaml::unfit - unfit: unfit: do not trust this run: 2 of 2 turns were *",
            "UNFIT tests/test_calls.py::test_unfit_is_never_expected - good: unfit: do not trust this run: *",
            "UNREACHABLE scenarios/lost.yaml::lost - lost: infrastructure: session.unreachable",
            "*ERROR at setup of scenario: variable*",
            "scenarios/variable.yaml:1:*: the environment variable NOT_SET_HERE is not set",
            "FAILED scenarios/slow.yaml::slow - harness.testing.FellShort: slow: fail: expectation ttfa <2s",
            "  turn 1 ttfa <2s: failed (it took 3000 ms)",
            "    at scenarios/slow.yaml:6:*",
            "E       AssertionError: assert 1000.0 < 800",
            "E        +  where 1000.0 = <turn 1, type 'When?': ttfa 1000 ms, echo 10 ms, reply 'We open *'>.ttfa_ms",
            "E       harness.errors.UsageError: there is no scenario 'goof' in *scenarios; shipped are *",
        ]
    )
    for internal in ("harness/run/", "harness/pytest_plugin/", "concurrent/futures"):
        assert internal not in said, "a traceback shows our own code"
    assert KEY not in said
    _holds_in_junit(project.path)
    _holds_on_disk(project.path / "out")


def _holds_in_junit(folder: Path) -> None:
    root = ET.parse(folder / "junit.xml").getroot()
    found = {
        case.attrib["name"]: {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
        for case in root.iter("testcase")
    }
    statuses = {name: told.get("voice_status") for name, told in found.items()}
    assert {name for name, status in statuses.items() if status == "unfit"} == {"unfit", "test_unfit_is_never_expected"}
    assert {name for name, status in statuses.items() if status == "unreachable"} == {"lost"}
    assert statuses["slow"] == statuses["test_scenario_fails"] == "failed"
    assert statuses["good"] is None
    assert found["test_fails"]["voice_recording"].endswith("test_calls-test_fails/audio/0001-good.wav")
    assert Path(found["good"]["voice_report"]).is_file()
    assert root.find("testsuite").attrib["skipped"] == "1"  # type: ignore[union-attr]


def _holds_on_disk(out: Path) -> None:
    assert {folder.name for folder in out.iterdir()} == {
        *("good", "rate", "slow", "unfit", "lost", "test_calls-test_async", "test_calls-test_fails"),
        *("test_calls-test_scenario_fails", "test_calls-test_unchecked", "test_calls-test_expected"),
        *("test_calls-test_unfit_is_never_expected", "test_calls-test_unfit_turn"),
    }
    kept = {file.parents[1].name for file in out.rglob("*.wav")}
    assert {"test_calls-test_fails", "test_calls-test_unfit_is_never_expected", "slow"} <= kept
    assert not kept & {"good", "test_calls-test_async", "test_calls-test_unchecked"}, "a passed test keeps no sound"
    assert len((out / "rate" / "calls.jsonl").read_text().splitlines()) == 3, "as many calls as its pass rate needs"
    assert "0001-good.wav" not in (out / "test_calls-test_async" / "calls.jsonl").read_text()
