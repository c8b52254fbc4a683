"""What a calibration calls: what its points need, and that the agents and scenarios are ones that can be run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.calibrate.plan import FIXED_MS, FULL, FULL_LIGHT, QUICK, Stage, agents_of, scenario_of, stages_of
from harness.errors import UsageError
from harness.stack.agents_file import load_agents
from harness.utterances.find import find_fixture


@pytest.mark.parametrize("stage", [*FULL, *FULL_LIGHT, *QUICK], ids=lambda stage: stage.name)
def test_its_agents_and_scenarios_can_be_read(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "agents.yaml"
    path.write_text(json.dumps(agents_of(stage)))
    agents = load_agents(path)
    for script in stage.scripts:
        assert agents[script.condition].kind == "truth"
        steps = scenario_of(script, tmp_path).model.turns
        assert [sum(step.kind == kind for step in steps) for kind in ("say", "type")] == [script.spoken, script.typed]
        for step in steps:
            if step.kind == "say":
                find_fixture(str(step.say), tmp_path)


def test_the_full_one_has_thirty_turns_a_point_in_ten_calls_and_two_hundred_random_ones() -> None:
    for stage in FULL:
        for script in stage.scripts:
            calls = stage.calls * stage.repeat
            assert calls >= 10
            assert min(script.spoken, script.typed) >= 3
            assert min(script.spoken, script.typed) * calls >= 30
    five = FULL[-1]
    assert five.calls == 5
    share = sum(isinstance(delay, dict) for delay in five.scripts[0].delays) / len(five.scripts[0].delays)
    assert (five.scripts[0].spoken + five.scripts[0].typed) * five.calls * five.repeat * share >= 200
    clean = FULL[0].scripts[0]
    assert {f"{fixed:g}ms" for fixed in FIXED_MS} < {delay for delay in clean.delays if isinstance(delay, str)} | {""}


def test_conditions_are_the_agents(tmp_path: Path) -> None:
    path = tmp_path / "agents.yaml"
    path.write_text(json.dumps(agents_of(FULL[0])))
    agents = load_agents(path)
    assert agents["noise_-60"].noise_dbfs == -60
    assert agents["clean"].noise_dbfs is None
    assert agents["late_join"].joins_late_by_s == 1.2
    assert agents["late_join"].faults == ["joins_late"]
    assert agents["clean"].shape.kind == "agent"
    assert agents["standard"].shape.kind == "standard"
    assert agents["sdk_defaults"].shape.publish.red
    assert agents["sdk_defaults"].shape.publish.dtx
    assert agents["sdk_defaults"].line == "sdk"
    assert agents["silent"].shape.publish.in_silence == "nothing"


def test_a_calibration_of_one_condition_has_its_stages_only() -> None:
    one, five = stages_of("sdk", quick=False, conditions=["standard"])
    assert [(stage.calls, stage.repeat) for stage in (one, five)] == [(1, 10), (5, 2)]
    assert [script.condition for stage in (one, five) for script in stage.scripts] == ["standard", "standard"]
    (only,) = stages_of("sdk", quick=False, conditions=["late_join", "silent"])
    assert [script.condition for script in only.scripts] == ["silent", "late_join"]
    assert stages_of("light", quick=False) == FULL_LIGHT


@pytest.mark.parametrize(
    ("condition", "quick", "words"),
    [
        ("standart", False, "there is no condition 'standart'; did you mean 'standard'?"),
        ("standard", True, "--quick has no condition 'standard'"),
    ],
)
def test_a_condition_that_is_not_called_is_refused(condition: str, quick: bool, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        stages_of("sdk", quick=quick, conditions=[condition])
    assert (caught.value.what, caught.value.where) == (words, "--condition")
    assert "clean" in (caught.value.hint or "")


@pytest.mark.parametrize("stages", [FULL, FULL_LIGHT], ids=["sdk", "light"])
def test_agents_as_others_write_them_are_called_one_at_a_time_and_five_at_once(stages: Sequence[Stage]) -> None:
    for condition in ("standard", "sdk_defaults"):
        calls = {stage.calls for stage in stages for script in stage.scripts if script.condition == condition}
        assert calls == {1, 5}
