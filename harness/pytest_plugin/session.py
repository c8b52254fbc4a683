"""What the calls of one process share: the target, the event loop, and where the embedded stack is."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from harness.call.engines.make import EngineName, engine_name
from harness.errors import ConfigError, HarnessError, StackError, UsageError
from harness.judge.parts import limits_of
from harness.judge.pass_rates import needed_calls
from harness.process.lines import ERROR, error_in, error_message
from harness.process.signals import Signals
from harness.pytest_plugin.broker import ask
from harness.pytest_plugin.loop_thread import LoopThread
from harness.pytest_plugin.options import Options
from harness.record.recorded_run import RecordedRun
from harness.record.run_directory import TRUTH_FILE
from harness.run.make_run import environment_restored, record_calls
from harness.run.pacing import plan_pace
from harness.run.reading import make_request, read_target
from harness.scenario.load import LoadedScenario
from harness.secret import Secret
from harness.target.choose import EMBEDDED_AGENT
from harness.target.target import Target
from harness.testing.outcomes import Unreachable

if TYPE_CHECKING:
    from harness.caller.recorded_call import RecordMode
    from harness.pytest_plugin.stack import OneStack

_ELSEWHERE = "workers on other machines cannot call the embedded stack: name a service with --voice-target"


@dataclass(frozen=True)
class Wanted:
    """A call to make: what differs between the calls of a process.

    Attributes:
        loaded: The scenario.
        agent: The agent's id; None for the option's, the scenario's or the target's.
        engine: The media engine; None for the option's.
        keep_sound: Whether to record it although it may pass; the test decides later whether that is kept.
        out: The run directory.
        test: The test's name, for run.json.
    """

    loaded: LoadedScenario
    agent: str | None
    engine: str | None
    keep_sound: bool
    out: Path
    test: str


class Session:
    """Makes calls for the tests of this process.

    Args:
        options: The plugin's options.
        folder: Where to look for voice-harness.toml, and in its parents.
        runs: The folder of the run directories.
        broker: The socket of xdist's controller, which has the embedded stack; None if this process has it itself.
        say: Shows what takes long.
    """

    def __init__(
        self, options: Options, *, folder: Path, runs: Path, broker: str | None, say: Callable[[str], None]
    ) -> None:
        self._options = options
        self._folder = folder
        self._runs = runs
        self._broker = broker
        self._say = say
        self._loop = LoopThread()
        self._stack: OneStack | None = None

    @cached_property
    def _target(self) -> Target:
        with environment_restored():
            target = read_target(self._options.target, warn=self._say, folder=self._folder)
            return replace(target, observe=None)  # each test is a run, and too short for it

    def ready(self, agent: str | None = None) -> Target:
        """Returns the target with its address. An embedded stack is started if it is not running yet.

        Args:
            agent: The agent whose models the embedded stack loads first, unless an option names another.

        Raises:
            UsageError: There is no such target, or an option is not valid.
            Unreachable: The embedded stack did not start, or has fallen.
        """
        target = self._target
        self._check_options()
        if target.kind != "embedded":
            return target
        agents_file = None if target.agents_file is None else str(target.agents_file)
        warm = self._options.agent or agent or target.agent or EMBEDDED_AGENT
        request = {"agents_file": agents_file, "agent": warm}
        answer = self.stack_for(request) if self._broker is None else ask(self._broker, request)
        if answer is None:
            raise Unreachable("this worker does not reach the embedded stack of pytest's controller", hint=_ELSEWHERE)
        if ERROR in answer:
            problem = error_in(answer)
            raise Unreachable(problem.what, hint=problem.hint) if isinstance(problem, StackError) else problem
        return replace(target, url=answer["url"], api_key=Secret(answer["api_key"]))

    def stack_for(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answers a request for the embedded stack of this process: its address, or an error. In any thread."""

        async def address(_: Signals) -> dict[str, Any]:
            from harness.pytest_plugin.stack import OneStack

            if self._stack is None:
                self._stack = OneStack(self._say)
            named = request["agents_file"]
            found = await self._stack.address(
                agents_file=None if named is None else Path(named),
                truth_log=self._runs / TRUTH_FILE,
                agent=request["agent"],
            )
            return {"url": found.session_url, "api_key": found.api_key.reveal()}

        try:
            return self._loop.run(address)
        except HarnessError as problem:
            return error_message(problem)

    @property
    def fall(self) -> StackError | None:
        """Why the embedded stack of this process ended before its time; None if it did not."""
        return None if self._stack is None else self._stack.fall

    def make(self, wanted: Wanted) -> RecordedRun:
        """Makes a call and waits for its end.

        Raises:
            HarnessError: It could not be made.
        """
        target = self.ready(wanted.agent or wanted.loaded.model.agent)
        return self._loop.run(lambda signals: self._record(wanted, target, signals))

    async def make_beside(self, wanted: Wanted, target: Target) -> RecordedRun:
        """The same for a running event loop, with a target that is ready; cancelling it ends the call."""
        return await self._loop.awaited(lambda signals: self._record(wanted, target, signals))

    async def _record(self, wanted: Wanted, target: Target, signals: Signals) -> RecordedRun:
        request = make_request(
            [wanted.loaded],
            target,
            several="suite",
            agent=wanted.agent or self._options.agent,
            engine=self._engine(wanted.engine),
        )
        mode = self._record_mode
        request = replace(
            request,
            record="all" if mode == "failed" and wanted.keep_sound else mode,
            out=wanted.out,
            command=("pytest", wanted.test),
            quiet=True,
        )
        rates = limits_of(wanted.loaded.model).values()
        repeat = max(map(needed_calls, rates), default=1)  # `pass: 9/10` is about ten calls
        pace = plan_pace(scenarios=1, calls=None, repeat=repeat, rate_per_min=None, duration_s=None)
        # That a target is unencrypted or a fixture has no text is in the reports; tests do not print it.
        console = Console(file=io.StringIO())
        return await record_calls(request, pace, console, signals, retry_unfit=self._retries)

    def _check_options(self) -> None:
        self._engine(None)
        _ = self._record_mode, self._retries

    def _engine(self, named: str | None) -> EngineName:
        return engine_name(named or self._options.engine, where="voice_engine" if named is None else "engine")

    @property
    def _record_mode(self) -> RecordMode:
        match self._options.record:
            case "none" | "failed" | "all":
                return self._options.record
            case other:
                raise UsageError(f"voice_record must be none, failed or all (got {other!r})")

    @property
    def _retries(self) -> int:
        text = self._options.retry_unfit
        if not (text.isascii() and text.isdigit()):
            raise ConfigError(f"--voice-retry-unfit must be 0 or more (got {text!r})")
        return int(text)

    def close(self) -> None:
        """Stops an embedded stack of this process, and the event loop."""
        if self._stack is not None:
            stack = self._stack
            self._loop.run(lambda _: stack.stop())
        self._loop.close()
