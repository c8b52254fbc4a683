"""A pytest plugin that replaces calls and the embedded stack: what a call comes to is decided by its agent's id.

`demo` answers after a second, `slow` after three; `unfit` is measured by a late harness, and `lost` is not reached. A
call of a scenario named `hangs` lasts until it is cut. The stack's start and stop are written to the file that
$FAKE_STACK_LOG names.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harness.caller.prepare import Prepared
from harness.errors import StackError
from harness.judge.expectations import judge_call
from harness.record.result import CallResult, TurnResult
from harness.record.unfit import Unfit
from harness.run import execute
from harness.run.run import Run
from harness.secret import Secret
from harness.stack.embedded import EmbeddedStack, StackAddress
from tests.judge.made import call, greeting, turn

KEY = "sk_the_stacks_own_0123456789"


class FakeCall:
    """A call whose agent's id says how it goes."""

    def __init__(self, run: Run, prepared: Prepared, name: str) -> None:
        self._run = run
        self._prepared = prepared
        self._name = name
        self._cut = asyncio.Event()

    def cut(self) -> None:
        self._cut.set()

    def _answered(self, ttfa_ms: float) -> list[TurnResult]:
        """The scenario's turns, each answered in this time."""
        reply = {"reply": "We open at nine, and there is parking.", "ttfa_ms": ttfa_ms}
        heard = {"say": {"transcript": "When?", "wer": 0.0}, "type": {"text": "When?", "echo_ms": 10.0}}
        kinds = [step.kind for step in self._prepared.loaded.model.turns if step.kind != "wait"]
        return [turn(number, kind=kind, **heard[kind], **reply) for number, kind in enumerate(kinds, start=1)]

    async def make(self) -> CallResult:
        about: dict[str, Any] = {"agent": self._prepared.agent, "greeting": greeting()}
        late = {"fit": False, "unfit_why": [Unfit(kind="packet_late", figure=80)]}
        name = self._prepared.loaded.name
        match name if name == "hangs" else self._prepared.agent:
            case "slow":
                result = call(*self._answered(3000.0), **about)
            case "unfit":
                result = call(turn(1, **late), turn(2, **late), **about)
            case "half_unfit":
                result = call(turn(1, **late), turn(2), **about)
            case "lost":
                result = call(failure="session.unreachable", **about)
            case "hangs":
                told(f"hangs {os.getpid()}")
                await self._cut.wait()
                result = call(cut=True, **about).model_copy(update={"ok": None})
            case _:
                result = call(*self._answered(1000.0), **about)
        loaded = self._prepared.loaded
        result = result.model_copy(update={"call": self._name, "scenario": loaded.name})
        judge_call(result, loaded.model, lambda *keys: str(loaded.place(*keys)))
        if self._run.request.record == "all" or (self._run.request.record == "failed" and not result.ok):
            result.recording = f"audio/{self._name}.wav"
            file = self._run.directory.path / result.recording
            file.parent.mkdir(exist_ok=True)
            soundfile.write(file, np.zeros((480, 2), np.int16), 48_000)
        return result


async def opened(stack: AsyncExitStack, run: Run, pace: Any, watcher: Any, on_fall: Any) -> Any:
    """What makes the calls, in place of an engine."""
    target = await stack.enter_async_context(run.reachable(on_fall))
    told(f"called {target.url} {target.api_key is not None and target.api_key.reveal() == KEY}")
    return lambda wanted: FakeCall(run, wanted.scenario, wanted.call)


class FakeStack:
    """A stack that takes no time."""

    address = StackAddress("http://127.0.0.1:1/session", Secret(KEY), "ws://127.0.0.1:2", ("demo",))

    @classmethod
    async def start(cls, **settings: Any) -> FakeStack:
        told(f"started warm={','.join(settings['warm'])} pid={os.getpid()}")
        if os.environ.get("FAKE_STACK_FALLS") == "at start":
            raise StackError("the embedded stack's host did not start", hint="look at its output")
        return cls()

    async def wait_fallen(self) -> StackError:
        return await asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        told("stopped")


def told(line: str) -> None:
    """Appends a line; one write, so that those of several processes do not mix."""
    log = os.environ.get("FAKE_STACK_LOG")
    if log:
        with Path(log).open("ab", buffering=0) as file:
            file.write(f"{line}\n".encode())


def pytest_configure(config: pytest.Config) -> None:
    patched = pytest.MonkeyPatch()
    patched.setattr(execute, "_open", opened)
    patched.setattr(EmbeddedStack, "start", FakeStack.start)
    config.add_cleanup(patched.undo)
