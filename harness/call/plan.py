"""What one call is to do, with everything loaded: a call reads no file and looks up no name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.record.role import ORDINARY, Role
from harness.scenario.model import Scenario, Step
from harness.scenario.timeouts import CallTimeouts
from harness.utterances.find import Utterance

HANGS_UP_S = 5.0


@dataclass(frozen=True)
class CallPlan:
    """One call of one scenario; `speech[i]` is what step i says, None if it does not speak.

    Attributes:
        loop_s: Repeat the turns until the call has lasted this many seconds; None to run them once.
        due_ns: When the call was to start (monotonic); None for any time.
        role: What it is in its run.
        agent_identity: The agent's identity in the room, if known; None to detect it.
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
    role: Role = ORDINARY
    agent_identity: str | None = None

    @property
    def steps(self) -> Sequence[Step]:
        """The script."""
        return self.scenario.turns

    @property
    def greeting_within_s(self) -> float:
        """The most seconds that a greeting may take; 0 if none is expected."""
        greeting = self.scenario.greeting
        if not greeting or greeting.within is None:
            return 0.0
        return greeting.within.limit.value / 1000

    @property
    def hangs_up_within_s(self) -> float:
        """Seconds that the agent has after the last reply to end the call, if the scenario expects that."""
        wanted = self.steps[-1].expect.ends_call
        return HANGS_UP_S if wanted is None or wanted.limit is True else wanted.limit.value / 1000

    @property
    def types(self) -> bool:
        """Whether any step is typed."""
        return any(step.kind == "type" for step in self.steps)
