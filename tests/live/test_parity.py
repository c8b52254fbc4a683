"""The same scenario on both engines, against an agent that knows its own delays: only the media's way differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import pytest

from harness.calibrate.truth import check_call
from harness.record.result import CallResult
from tests.events import typed
from tests.live.conftest import LiveStack, Ran, start, until_fit

pytestmark = pytest.mark.live

SCENARIO = """
name: parity
agent: steady
greeting: {within: 8s}
turns:
  - say: do-you-take-cards
  - type: Do you have parking?
  - say: can-we-sit-outside
  - type: "  And on Sunday?  "
  - say: thank-you
"""
ENGINES = ("sdk", "light")
TURN_EVENTS = ("turn.started", "caller.spoke", "caller.typed", "agent.onset", "turn.ended")
ATTEMPTS = 4
FIT_TURNS = 3
"""Of the five; the others have no times (`docs/metrics.md`, "Fit and unfit")."""
T = TypeVar("T")
ALIKE_MS = 10.0
"""What `docs/engines.md` says of the two; of the median, for a busy machine moves single turns."""


@pytest.fixture(scope="module")
def ran(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """The scenario on each engine, side by side, until this machine was fit to measure both."""
    folder = tmp_path_factory.mktemp("parity")
    script = folder / "parity.yaml"
    script.write_text(SCENARIO)

    def both(attempt: int) -> dict[str, Ran]:
        running = {
            engine: start(stack, folder / f"{engine}-{attempt}", [script], "--engine", engine) for engine in ENGINES
        }
        return {engine: started.ran() for engine, started in running.items()}

    return until_fit(both, lambda ran: all(map(_fit, ran.values())), "both engines", attempts=ATTEMPTS)


def _fit(one: Ran) -> bool:
    return one.fit and sum(turn["fit"] for turn in one.calls["parity"]["turns"]) >= FIT_TURNS


def _events(one: Ran) -> list[dict[str, Any]]:
    return one.timeline(one.calls["parity"]["call"])


def _same(ran: dict[str, Ran], of: Callable[[Ran], T]) -> T:
    sdk, light = (of(ran[engine]) for engine in ENGINES)
    assert sdk == light
    return sdk


def test_each_ran_on_its_engine_and_passed(ran: dict[str, Ran]) -> None:
    assert {engine: (one.code, one.calls["parity"]["engine"]) for engine, one in ran.items()} == {
        engine: (0, engine) for engine in ENGINES
    }


def test_the_same_turns_were_taken(ran: dict[str, Ran]) -> None:
    turns = _same(ran, lambda one: [(turn["kind"], turn["text"]) for turn in one.calls["parity"]["turns"]])
    assert [kind for kind, _ in turns] == ["say", "type", "say", "type", "say"]


def test_the_same_texts_came_in_the_same_order(ran: dict[str, Ran]) -> None:
    def texts(one: Ran) -> list[tuple[str, str]]:
        return [(event["role"], event["text"]) for event in _events(one) if event["event"] == "text"]

    told = _same(ran, texts)
    assert [role for role, _ in told] == ["reply", "reply", "echo", "reply", "reply", "echo", "reply", "reply"]


def test_turns_and_voices_follow_one_another_alike(ran: dict[str, Ran]) -> None:
    """Texts are left out: a reply's text and its voice leave together, and either may come in first."""

    def order(one: Ran) -> list[str]:
        return [event["event"] for event in _events(one) if event["event"] in TURN_EVENTS]

    assert _same(ran, order).count("agent.onset") == 6


def test_the_latencies_are_alike(ran: dict[str, Ran], truth_file: Path) -> None:
    """Each held against what the agent wrote down: what it did itself does not count."""
    truth = [json.loads(line) for line in truth_file.read_text().splitlines()]

    def errors_ms(one: Ran) -> list[float]:
        call = CallResult.model_validate(one.calls["parity"])
        return [turn.measured_ms - turn.true_ms for turn in check_call(call, typed(_events(one)), truth).turns]

    sdk, light = (errors_ms(ran[engine]) for engine in ENGINES)
    assert min(len(sdk), len(light)) >= FIT_TURNS
    assert abs(median(sdk) - median(light)) < ALIKE_MS, (sdk, light)
