"""-k: scenarios chosen by name and tag."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.scenario.load import LoadedScenario, load_scenarios
from harness.scenario.select import select


@pytest.fixture
def scenarios(tmp_path: Path) -> list[LoadedScenario]:
    for name, tags in (("smoke", "[fast, cafe]"), ("barge-in", "[slow, cafe]"), ("load", "[Slow]")):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\ntags: {tags}\nturns: [{{say: a}}]\n", encoding="utf-8")
    return load_scenarios([tmp_path])


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("smoke", {"smoke"}),
        ("SMO", {"smoke"}),
        ("cafe", {"smoke", "barge-in"}),
        ("slow", {"barge-in", "load"}),
        ("caf", None),
        ("not slow", {"smoke"}),
        ("cafe and not slow", {"smoke"}),
        ("smoke or load", {"smoke", "load"}),
        ("smoke or cafe and slow", {"smoke", "barge-in"}),
        ("(smoke or cafe) and slow", {"barge-in"}),
        ("not (smoke or load)", {"barge-in"}),
        ("not not smoke", {"smoke"}),
    ],
)
def test_words_and_their_joints(scenarios: list[LoadedScenario], expression: str, names: set[str] | None) -> None:
    if names is None:
        with pytest.raises(UsageError, match="matches none of"):
            select(scenarios, expression)
    else:
        assert {one.name for one in select(scenarios, expression)} == names


@pytest.mark.parametrize("expression", ["and", "smoke and", "(smoke", "smoke)", "smoke load", "not", "()", "  "])
def test_what_cannot_be_read_is_a_usage_error(scenarios: list[LoadedScenario], expression: str) -> None:
    with pytest.raises(UsageError, match="is not a valid expression"):
        select(scenarios, expression)
