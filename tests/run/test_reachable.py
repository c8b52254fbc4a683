"""A run's target while the run lasts: an embedded stack that falls is told once, and one that is stopped is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.clock import SystemClock
from harness.errors import StackError
from harness.run.pacing import Pace
from harness.run.request import Request
from harness.run.run import Run, begin
from harness.run.settings import Planned
from harness.secret import Secret
from harness.stack.embedded import EmbeddedStack, StackAddress
from harness.target.target import Target
from tests.prepared import prepared


class FakeStack:
    """A stack that falls when `fall` is set."""

    def __init__(self) -> None:
        self.address = StackAddress("http://127.0.0.1:1/session", Secret("k"), "ws://127.0.0.1:2", ("demo",))
        self.fall: asyncio.Future[StackError] = asyncio.get_running_loop().create_future()
        self.stopped = False

    async def wait_fallen(self) -> StackError:
        return await asyncio.shield(self.fall)

    async def stop(self) -> None:
        self.stopped = True


def a_run(folder: Path, said: list[str], target: Target) -> Run:
    request = Request(name="x", scenarios=[], target=target, seed=1, out=folder / "run")
    return begin(request, [prepared("x")], Planned(Pace(1, 1, None, 1)), clock=SystemClock(), say=said.append)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> list[FakeStack]:
    started: list[FakeStack] = []

    async def start(**_: Any) -> FakeStack:
        started.append(FakeStack())
        return started[-1]

    monkeypatch.setattr(EmbeddedStack, "start", start)
    return started


async def test_a_stack_that_falls_is_printed_and_passed_on_once(tmp_path: Path, stack: list[FakeStack]) -> None:
    said: list[str] = []
    falls: list[StackError] = []
    async with a_run(tmp_path, said, Target("embedded", "embedded")).reachable(falls.append) as target:
        assert target.url == "http://127.0.0.1:1/session"
        stack[0].fall.set_result(StackError("the server ended by itself"))
        await asyncio.sleep(0.01)
        assert [fall.what for fall in falls] == ["the server ended by itself"]
    assert said == [str(falls[0])]
    assert stack[0].stopped


async def test_a_stack_that_is_stopped_has_not_fallen(tmp_path: Path, stack: list[FakeStack]) -> None:
    said: list[str] = []
    falls: list[StackError] = []
    async with a_run(tmp_path, said, Target("embedded", "embedded")).reachable(falls.append):
        pass
    await asyncio.sleep(0.01)
    assert stack[0].stopped
    assert said == []
    assert falls == []


async def test_another_target_starts_no_stack(tmp_path: Path, stack: list[FakeStack]) -> None:
    there = Target("there", "session", url="https://there.example/session")
    async with a_run(tmp_path, [], there).reachable(lambda _: None) as target:
        assert target is there
    assert stack == []
