"""A run's target while the run lasts: a fall of an embedded stack is told once and ends the run, its stop is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.call.engines.make import EngineName
from harness.clock import SystemClock
from harness.errors import StackError
from harness.judge.thresholds import Threshold
from harness.metrics.threshold import check_threshold
from harness.process.signals import Signals
from harness.record.result import CallResult
from harness.run.execute import execute
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.run.run import Run, begin
from harness.run.settings import Planned
from harness.secret import Secret
from harness.stack.embedded import EmbeddedStack, StackAddress
from harness.target.target import Target
from harness.testing import FakeSessionService, refusal
from harness.timeline.events import Event
from tests.hand_clock import settle
from tests.prepared import prepared


class FakeStack:
    """A stack that falls when `fall` is set."""

    def __init__(self, url: str) -> None:
        self.address = StackAddress(url, Secret("k"), "ws://127.0.0.1:2", ("demo",))
        self.fall: asyncio.Future[StackError] = asyncio.get_running_loop().create_future()
        self.stopped = False

    async def wait_fallen(self) -> StackError:
        return await asyncio.shield(self.fall)

    async def stop(self) -> None:
        self.stopped = True


def a_run(folder: Path, said: list[str], target: Target, *, engine: EngineName = "sdk") -> Run:
    request = Request(name="x", scenarios=[], target=target, seed=1, engine=engine, out=folder / "run")
    return begin(request, [prepared("x")], Planned(Pace(1, 1, None, 1)), clock=SystemClock(), say=said.append)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> list[FakeStack]:
    started: list[FakeStack] = []

    async def start(**_: Any) -> FakeStack:
        started.append(FakeStack("http://127.0.0.1:1/session"))
        return started[-1]

    monkeypatch.setattr(EmbeddedStack, "start", start)
    return started


async def test_a_stack_that_falls_is_printed_and_passed_on_once(tmp_path: Path, stack: list[FakeStack]) -> None:
    said: list[str] = []
    falls: list[StackError] = []
    async with a_run(tmp_path, said, Target("embedded", "embedded")).reachable(falls.append) as target:
        assert target.url == "http://127.0.0.1:1/session"
        stack[0].fall.set_result(StackError("the server ended by itself"))
        await settle()
        assert [fall.what for fall in falls] == ["the server ended by itself"]
    assert said == [str(falls[0])]
    assert stack[0].stopped


async def test_a_stack_that_is_stopped_has_not_fallen(tmp_path: Path, stack: list[FakeStack]) -> None:
    said: list[str] = []
    falls: list[StackError] = []
    async with a_run(tmp_path, said, Target("embedded", "embedded")).reachable(falls.append):
        pass
    await settle()
    assert stack[0].stopped
    assert said == []
    assert falls == []


async def test_another_target_starts_no_stack(tmp_path: Path, stack: list[FakeStack]) -> None:
    there = Target("there", "session", url="https://there.example/session")
    async with a_run(tmp_path, [], there).reachable(lambda _: None) as target:
        assert target is there
    assert stack == []


class Lines:
    """A watcher that does something when a call has ended."""

    wants_events = False

    def __init__(self, then: Callable[[], None]) -> None:
        self.said: list[str] = []
        self._then = then

    def say(self, line: str) -> None:
        self.said.append(line)

    def started(self, total: int) -> None: ...

    def event(self, call: str, event: Event) -> None: ...

    def ended(self, result: CallResult, alive: int) -> None:
        self._then()


@pytest.mark.parametrize("calls_before", [0, 1])
async def test_a_run_whose_stack_falls_starts_no_more_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls_before: int
) -> None:
    async with FakeSessionService(refusal(503)) as service:
        stack = FakeStack(service.url)

        async def start(**_: Any) -> FakeStack:
            return stack

        def fall() -> None:
            if not stack.fall.done():
                stack.fall.set_result(StackError("the server ended by itself"))

        monkeypatch.setattr(EmbeddedStack, "start", start)
        if calls_before == 0:
            fall()
        watcher = Lines(fall)
        pace = Pace(1, 5, None, 5)
        run = a_run(tmp_path, watcher.said, Target("embedded", "embedded"), engine="light")
        outcome, summary = await execute(run, pace, watcher, Signals())
    assert len(outcome.results) < 3
    assert len(outcome.results) >= calls_before
    assert "the embedded stack fell: the server ended by itself" in [str(reason.what) for reason in summary.reasons]
    assert summary.exit_code == 3
    assert watcher.said.count("the server ended by itself") == 1


async def test_a_threshold_that_aborts_a_run_is_a_reason_and_said_once(tmp_path: Path) -> None:
    limit = Threshold(*check_threshold("calls.failed", "rate<=50%"), "s.yaml", 0.0)
    async with FakeSessionService(refusal(503)) as service:
        watcher = Lines(lambda: None)
        there = Target("there", "session", url=service.url, api_key=Secret("k"))
        run = a_run(tmp_path, watcher.said, there, engine="light")
        run = replace(run, request=replace(run.request, thresholds=[limit]))
        outcome, summary = await execute(run, Pace(1, 9, None, 9), watcher, Signals())
    aborted = [reason for reason in summary.reasons if str(reason.what).startswith("aborted after 0 s by threshold")]
    assert [(reason.code, str(reason.what).partition("by ")[2]) for reason in aborted] == [
        (1, "threshold calls.failed rate<=50%: 100 % (2 samples)")
    ]
    assert (len(outcome.results), summary.also) == (2, ["fail"])
    assert [line for line in watcher.said if "aborted" in line] == [f"{aborted[0].what}: no more calls are started"]
