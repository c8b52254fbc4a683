"""`VoiceCallUser`, the user class of Locust. Each user is a slot of calls, which are made in unpatched shards.

A locustfile subclasses it:

    from harness.locust import VoiceCallUser

    class Guest(VoiceCallUser):
        scenarios = ["scenarios/load.yaml"]
        target = "embedded"
        agent = "light"

All features of Locust work with it: `-u`, `-r`, `-t`, `--processes`, `--master` and `--worker`, a `LoadTestShape`, the
web page. `voice-harness load` uses it as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from locust import User, events, task
from locust.exception import StopUser

from harness.load.locust.alone import begin_by_itself
from harness.load.locust.parent import attend, current_order
from harness.load.locust.runtime import Runtime, runtime_of


class VoiceCallUser(User):
    """One slot: makes a call, waits for its end, makes the next.

    Attributes:
        scenarios: Paths of scenarios, or names of shipped ones; with `=WEIGHT` to mix them.
        target: A name in voice-harness.toml, a URL, or `embedded`; None for the default.
        agent: The agent's id; None for the scenario's or the target's.
        engine: The media engine.
        call_duration: For how long each call loops its turns, such as `5m`; None to play them once.
        session_rate: The most sessions per minute that all workers together create; None for no limit.
    """

    abstract = True
    scenarios: ClassVar[Sequence[str]] = ()
    target: ClassVar[str | None] = None
    agent: ClassVar[str | None] = None
    engine: ClassVar[Literal["sdk", "light"]] = "light"
    call_duration: ClassVar[str | None] = None
    session_rate: ClassVar[float | None] = None

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._made = 0

    @task
    def call(self) -> None:
        """Makes the next call; in the open model, starts all calls of the worker by the clock."""
        caller = self._runtime().caller()
        plan = caller.plan
        if plan.is_dispatched:
            self._runtime().dispatch()
            return
        if plan.stages is None and plan.slots is not None:
            scenarios = self._runtime().scenario_count
            if self._made >= plan.repeat * scenarios:
                self._runtime().rest()
                return
            caller.make(self._made % scenarios)
        else:
            caller.make()
        self._made += 1
        if caller.stopping.is_set():
            raise StopUser

    def _runtime(self) -> Runtime:
        return runtime_of(self.environment)


@events.init.add_listener  # type: ignore[untyped-decorator] # Locust types its events loosely
def _begin(environment: Any, **_: Any) -> None:
    """Starts the load when Locust's runner exists: by the order of `voice-harness load`, or by the user classes."""
    classes = [each for each in environment.user_classes if issubclass(each, VoiceCallUser)]
    if not classes:
        return
    order = current_order()
    if order is not None:
        environment.voice_runtime = Runtime(environment, order)
        attend(environment)
    else:
        begin_by_itself(environment, classes)
