"""A scenario by name, ready to be called: for tests of who is called when."""

from __future__ import annotations

from pathlib import Path

from harness.caller.prepare import Prepared
from harness.scenario.by_hand import scenario_by_hand
from harness.scenario.load import LoadedScenario
from harness.scenario.timeouts import CallTimeouts


def prepared(name: str) -> Prepared:
    made = scenario_by_hand([], sets=[("name", name)], folder=Path(), env={})
    return Prepared(LoadedScenario(made.model, made.path, made.raw, {}), [None], "demo", CallTimeouts())
