"""The lifecycle of a load outside of Locust: prepares its target and run directory, and writes its reports."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.caller.lost_call import lost_call, shard_died
from harness.caller.prepare import Prepared
from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_UNFIT, StackError
from harness.load.locust.messages import MARK_FILE
from harness.load.order import AbortOrder, Load, LoadOrder
from harness.process.signals import Signals
from harness.record.reason import Aborted, InWords, MasterVanished, StackFell
from harness.record.result import CallResult
from harness.record.role import ORDINARY, role_of
from harness.record.run_directory import CALLS_FILE, RunDirectory, read_run
from harness.record.summary import Ending, Reason, Summary
from harness.run.request import Request
from harness.run.run import Run, shard_order
from harness.shards.protocol import write_prepared
from harness.text.counted import counted
from harness.timeline.events import CallStarted
from harness.timeline.timeline import read_timeline

Say = Callable[[str], None]


class LoadRun:
    """One load; an async context manager that sets `order`, the order for the processes of Locust.

    Args:
        request: The request.
        load: The options of the load.
        scenarios: The request's prepared scenarios.
        say: Prints a line.
        run: The run to write; None for a worker, whose master has it.
    """

    def __init__(
        self, request: Request, load: Load, scenarios: Sequence[Prepared], say: Say, *, run: Run | None = None
    ) -> None:
        self._request = request
        self._load = load
        self._scenarios = scenarios
        self._run = run
        self._say = say
        self._stack = AsyncExitStack()
        self._fallen: StackError | None = None
        self.order: LoadOrder

    async def __aenter__(self) -> LoadRun:
        """Makes the target reachable and writes the scenarios for the processes.

        Raises:
            StackError: The embedded stack did not start.
        """
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="voice-harness-"))
        prepared = Path(folder) / "scenarios"
        write_prepared(self._scenarios, prepared)
        run, mark = self._run, ""
        if run is None:
            calls = shard_order(self._request, self._request.target, None)
        else:
            run.directory.write_settings(run.settings)
            mark = secrets.token_hex(16)
            (run.directory.path / MARK_FILE).write_text(mark)
            target = await self._stack.enter_async_context(run.reachable(self._fell))
            calls = run.shard_order(target)
        calls = calls.model_copy(update={"prepared": str(prepared)})
        aborts = tuple(
            AbortOrder(metric=str(each.ref), limit=str(each.limit), after_s=each.abort_after_s)
            for each in self._request.thresholds
            if each.abort_after_s is not None
        )
        self.order = LoadOrder(load=self._load, role=self._load.role, calls=calls, mark=mark, aborts=aborts)

    def _fell(self, problem: StackError) -> None:
        self._fallen = problem

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def finish(
        self, ending: dict[str, Any] | None, *, interrupted: bool, signals: Signals | None = None
    ) -> tuple[list[CallResult], Summary]:
        """Completes the calls without a result, judges all calls and writes the reports.

        Args:
            ending: The master's last message about the load; None if it vanished before.
            interrupted: Whether the run was interrupted.
            signals: The signals of the run; None if they are not ours to handle.

        Returns:
            The calls and the summary.

        Raises:
            RuntimeError: This is a worker's load, which has no run.
        """
        run = self._run
        if run is None:
            raise RuntimeError("a worker has no run")
        directory = run.directory
        (directory.path / MARK_FILE).unlink(missing_ok=True)
        calls = self._every_call(directory)
        told = ending or {}
        extra = []
        if self._fallen is not None:
            extra.append(Reason(code=EXIT_INFRASTRUCTURE, what=StackFell(self._fallen.what)))
        if ending is None:
            extra.append(Reason(code=EXIT_UNFIT, what=MasterVanished()))
        extra += [
            Reason(code=EXIT_INFRASTRUCTURE, what=InWords(problem)) for problem in told.get("problems", []) if not calls
        ]
        if told.get("aborted") is not None:
            extra.append(Reason(code=EXIT_AGENT, what=Aborted.read(told["aborted"])))
        update = {"workers": told.get("workers", []), "refused": told.get("refused", [])}
        settings = run.settings.model_copy(update=update)
        dropped = int(told.get("dropped", 0))
        await run.observe(calls, signals)
        end = Ending(dropped=dropped, interrupted=interrupted, extra=extra)
        return calls, run.finish(calls, end, settings=settings)

    def _every_call(self, directory: RunDirectory) -> list[CallResult]:
        """Returns the calls that have a line, and a lost call for each timeline without one."""
        by_id: dict[str, CallResult] = {}
        lines = read_run(directory.path).calls
        for call in lines:
            if call.call not in by_id or by_id[call.call].failure == "harness.shard_died":
                by_id[call.call] = call
        timelines = sorted((directory.path / "timelines").glob("*.jsonl"))
        lost = [self._lost(path) for path in timelines if path.stem not in by_id]
        for call in lost:
            by_id[call.call] = call
            directory.append_call(call)
        if lost:
            self._say(f"{counted(len(lost), 'call')} were lost with a process that died")
        if len(by_id) < len(lines) + len(lost):  # a worker came back after its calls were recorded as lost
            directory.write_text(CALLS_FILE, "".join(call.model_dump_json() + "\n" for call in by_id.values()))
        return list(by_id.values())

    def _lost(self, timeline: Path) -> CallResult:
        first = None
        with contextlib.suppress(ValueError):  # a damaged timeline
            first = next((event for event in read_timeline(timeline) if isinstance(event, CallStarted)), None)
        named = {prepared.loaded.name: prepared for prepared in self._scenarios}
        prepared = named.get(first.scenario if first is not None else "", self._scenarios[0])
        written = datetime.fromtimestamp(timeline.stat().st_mtime, UTC).isoformat()
        return lost_call(
            timeline.stem,
            prepared,
            target=self._request.target.describe(),
            started=(first.utc if first is not None else "") or written,
            failure=shard_died("it ended before the call did"),
            role=ORDINARY if first is None else role_of(first),
        )
