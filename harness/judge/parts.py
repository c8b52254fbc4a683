"""The parts of a scenario that a call passes or not: an expectation, a step with all it expects, the whole call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.judge.tool_calls import tool_limit
from harness.record.result import CallResult, ExpectationResult, FailureSeen, StepOf
from harness.scenario.expect import Expect, Greeting
from harness.scenario.model import Scenario
from harness.scenario.pass_rate import PassRate

_REPLY = ("contains", "contains_any", "matches")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a scenario.

    Attributes:
        scenario: The scenario's name.
        step: The step; None for the whole call.
        expect: The expectation's key, such as `ttfa` or `reply`; None for all of the step, or all of the call.
    """

    scenario: str
    step: StepOf = None
    expect: str | None = None


def around_expectation(call: CallResult, step: StepOf, expectation: ExpectationResult) -> Sequence[Part]:
    """Returns the parts that an expectation is in, from the innermost to the whole call."""
    name = expectation.expect
    key = "reply" if name in _REPLY else name
    alone = [Part(call.scenario, step, tool_key(expectation.limit))] if name == "calls_tool" else []
    return (*alone, Part(call.scenario, step, key), Part(call.scenario, step), Part(call.scenario))


def around_failure(call: CallResult, seen: FailureSeen) -> Sequence[Part]:
    """Returns the parts that a failure in a call is in, from the innermost to the whole call."""
    step = "greeting" if seen.kind == "agent.no_greeting" else call.step_of(seen.turn)
    return (Part(call.scenario, step), Part(call.scenario)) if step is not None else (Part(call.scenario),)


def tool_key(limit: str) -> str:
    """Returns the key of one tool of `calls_tool`, as the expectation's limit names it."""
    return f"calls_tool {limit}"


def limits_of(scenario: Scenario) -> Mapping[Part, PassRate]:
    """Returns how many calls must pass, for each part of a scenario that says so."""
    return dict(_limits(scenario))


def _limits(scenario: Scenario) -> Iterator[tuple[Part, PassRate]]:
    if scenario.passes is not None:
        yield Part(scenario.name), scenario.passes
    if scenario.greeting:
        yield from _of_step(scenario.name, "greeting", scenario.greeting)
    for index, step in enumerate(scenario.turns):
        yield from _of_step(scenario.name, index, step.expect)


def _of_step(scenario: str, step: StepOf, expect: Expect | Greeting) -> Iterator[tuple[Part, PassRate]]:
    if expect.passes is not None:
        yield Part(scenario, step), expect.passes
    for key, value in expect.given.items():
        if key == "calls_tool":
            named = ((Part(scenario, step, tool_key(tool_limit(tool))), tool.passes) for tool in value)
            yield from ((part, passes) for part, passes in named if passes is not None)
        elif value.passes is not None:
            yield Part(scenario, step, key), value.passes


def keys_in_file(part: Part) -> tuple[str | int, ...]:
    """Returns the keys of a part's `pass` in its scenario."""
    if part.step is None:
        return ("pass",)
    at = ("greeting",) if part.step == "greeting" else ("turns", part.step, "expect")
    return (*at, "pass") if part.expect is None else (*at, part.expect.partition(" ")[0], "pass")


def label(scenario: Scenario, part: Part) -> str:
    """Returns a part's name for people: `turn 2 ttfa`, `greeting within`; empty for the whole call."""
    if part.step is None:
        return ""
    step = "greeting" if part.step == "greeting" else _step_label(scenario, part.step)
    return step if part.expect is None else f"{step} {part.expect}"


def _step_label(scenario: Scenario, index: int) -> str:
    kinds = [step.kind for step in scenario.turns[: index + 1]]
    turns = sum(kind != "wait" for kind in kinds)
    if kinds[-1] != "wait":
        return f"turn {turns}"
    last = max((place for place, kind in enumerate(kinds) if kind != "wait"), default=-1)
    number = index - last
    after = f"turn {turns}" if turns else "greeting"
    return f"wait after {after}" if number == 1 else f"wait {number} after {after}"
