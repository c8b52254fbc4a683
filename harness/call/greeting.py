"""How the caller waits for the greeting; the wait starts over if another participant turns out to be the agent."""

from __future__ import annotations

from dataclasses import dataclass

from harness.call.ear import KNOWN_AFTER_NS, Ear
from harness.call.plan import CallPlan
from harness.call.waiting import Check, Waiting
from harness.clock import NS_PER_S, Clock, s_to_ns
from harness.errors import AgentFailure
from harness.timeline.events import GreetingAnew, GreetingAwaited, GreetingEnded
from harness.timeline.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Greeted:
    """How the greeting ended.

    Attributes:
        talked_over_ns: The onset of the voice that the first step barges in on.
        failure: What the agent did wrong.
    """

    talked_over_ns: int | None = None
    failure: AgentFailure | None = None


class Greeting:
    """See the module."""

    def __init__(
        self, plan: CallPlan, *, waiting: Waiting, ear: Ear, timeline: Timeline, clock: Clock, agent_is_there: Check
    ) -> None:
        self._plan = plan
        self._waiting = waiting
        self._ear = ear
        self._timeline = timeline
        self._clock = clock
        self._agent_is_there = agent_is_there
        self._anew = False

    def start_over(self) -> None:
        """Another participant turned out to be the agent."""
        self._anew = True
        self._ear.wake()

    async def ended(self, asked_ns: int) -> Greeted:
        """Waits until the agent has greeted, or the first step may barge in on its greeting, or time is up.

        Raises:
            CallFailure: As `Waiting.until`.
        """
        if self._plan.scenario.greeting is False:
            return Greeted()
        timeouts = self._plan.timeouts
        awaited_ns = self._clock.now_ns()
        self._timeline.add(GreetingAwaited(t_ns=awaited_ns))
        deadline_ns = max(awaited_ns + s_to_ns(timeouts.greeting), asked_ns + s_to_ns(self._plan.greeting_within_s))
        voices, talked_over_ns = self._ear.voices, None
        while True:
            why = "silent"
            came = await self._waiting.until(lambda: self._anew or bool(voices), deadline_ns + KNOWN_AFTER_NS)
            if came and not self._anew:
                if self._plan.steps[0].kind == "barge_in":
                    talked_over_ns, why = voices[0].onset_ns, "barge_in"
                else:
                    why = "heard"
                    await self._waiting.until(lambda: self._anew or self._waiting.has_ended())
            # One that left may not have been the agent: whose greeting it was shows when another comes, or none.
            await self._waiting.until(lambda: self._anew or self._agent_is_there())
            if self._anew:
                self._anew = False
                deadline_ns = max(deadline_ns, self._clock.now_ns() + s_to_ns(timeouts.greeting))
                self._timeline.add(GreetingAnew(t_ns=self._clock.now_ns()))
            elif why == "silent" or voices:  # noise, or another participant's voice, was no greeting
                break
        self._timeline.add(GreetingEnded(t_ns=self._clock.now_ns(), why=why))
        if why == "silent" and self._plan.scenario.greeting is not None:
            waited_s = (deadline_ns - awaited_ns) / NS_PER_S
            what = f"the agent said nothing for {waited_s:.1f} s after it had joined"
            return Greeted(talked_over_ns, AgentFailure("agent.no_greeting", what))
        return Greeted(talked_over_ns)
