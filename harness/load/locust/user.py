"""`VoiceCallUser`: what Locust spawns. Each is a slot of calls, made in shards that are not of Locust's world.

A locustfile subclasses it:

    from harness.locust import VoiceCallUser

    class Guest(VoiceCallUser):
        scenarios = ["scenarios/load.yaml"]
        target = "embedded"
        agent = "light"

Everything of Locust works with it: `-u`, `-r`, `-t`, `--processes`, `--master` and `--worker`, a `LoadTestShape`, its
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
        scenarios: Paths of scenarios, or a shipped one's name; with `=WEIGHT` where they are mixed.
        target: A name in voice-harness.toml, a URL, or `embedded`; None: the default.
        agent: The agent's id; None: the scenario's or the target's.
        engine: Who carries the media.
        call_duration: For how long each call loops its turns, such as `5m`; None: once.
        session_rate: The most sessions that all workers together request per minute; None for no limit.
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
        """Makes calls, one after the other; in the open model it is the one that starts them by the clock."""
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
    """Starts once Locust has a runner: by the order of `voice-harness load`, or by the class's attributes."""
    classes = [each for each in environment.user_classes if issubclass(each, VoiceCallUser)]
    if not classes:
        return
    order = current_order()
    if order is not None:
        environment.voice_runtime = Runtime(environment, order)
        attend(environment)
    else:
        begin_by_itself(environment, classes)
