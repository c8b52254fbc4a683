"""What one call is to do, with everything loaded: a call reads no file and looks up no name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.fixtures.find import Utterance
from harness.scenario.limits import parse_time_limit
from harness.scenario.model import Scenario, Step
from harness.scenario.timeouts import CallTimeouts


@dataclass(frozen=True)
class CallPlan:
    """One call of one scenario; `speech[i]` is what step i says, None where it does not speak.

    Attributes:
        loop_s: The turns begin anew until the call has lasted so long; None: once.
        due_ns: When the call was to start (monotonic); None: whenever it does.
        warm_up: It is left out of the numbers.
        canary: It runs on the other engine, beside a load, and is reported apart.
    """

    call: str
    scenario: Scenario
    speech: Sequence[Utterance | None]
    agent: str
    overrides: Mapping[str, str]
    timeouts: CallTimeouts
    target: str
    loop_s: float | None = None
    due_ns: int | None = None
    warm_up: bool = False
    canary: bool = False

    @property
    def steps(self) -> Sequence[Step]:
        """The script."""
        return self.scenario.turns

    @property
    def greeting_within_s(self) -> float:
        """How long a greeting is expected to take at most, 0 where nothing is expected."""
        greeting = self.scenario.greeting
        if not greeting or greeting.within is None:
            return 0.0
        return parse_time_limit(greeting.within).value / 1000
