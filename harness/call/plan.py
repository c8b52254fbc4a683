"""What one call is to do, with everything loaded: a call reads no file and looks up no name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.metrics.limits import parse_time_limit
from harness.scenario.model import Scenario, Step
from harness.scenario.timeouts import CallTimeouts
from harness.utterances.find import Utterance

HANGS_UP_S = 5.0


@dataclass(frozen=True)
class CallPlan:
    """One call of one scenario; `speech[i]` is what step i says, None where it does not speak.

    Attributes:
        loop_s: The turns begin anew until the call has lasted so long; None: once.
        due_ns: When the call was to start (monotonic); None: whenever it does.
        warm_up: It is left out of the numbers.
        canary: It runs on the other engine, beside a load, and is reported apart.
        agent_identity: The agent's identity in the room, where it is known; None: it is found.
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
    agent_identity: str | None = None

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

    @property
    def hangs_up_within_s(self) -> float:
        """How long after the last reply the agent may take to end the call, where the scenario wants it to."""
        wanted = self.steps[-1].expect.ends_call
        return HANGS_UP_S if wanted is None or wanted is True else parse_time_limit(wanted).value / 1000

    @property
    def types(self) -> bool:
        """Whether any step is typed."""
        return any(step.kind == "type" for step in self.steps)
