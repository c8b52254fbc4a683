"""The companion process of a directly started Locust: `python -m harness.cli.companion`.

The first line of standard input describes the classes of a locustfile; the answer is {"order": a `LoadOrder`} or an
error (`process/lines.py`). At the end it receives {"ending": …}, judges the run, writes its reports, and answers
{"exit": its code}. Output for people goes to standard error.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.call.engines.make import engine_name
from harness.cli.load import read_mix
from harness.cli.options import read_duration, resolve_target
from harness.clock import SystemClock
from harness.errors import EXIT_OK, EXIT_USAGE, HarnessError, UsageError
from harness.load.job import planned_load
from harness.load.lifecycle import LoadRun
from harness.load.order import Load, LoadPlan
from harness.process.lines import error_message, line_of
from harness.report.console import make_console, print_summary
from harness.run.reading import make_request
from harness.run.request import Request
from harness.run.run import begin, make_ready
from harness.scenario.load import LoadedScenario

LINE_LIMIT_BYTES = 1 << 20
_COMMON = ("target", "agent", "engine", "call_duration", "session_rate")


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(line_of(message))
    sys.stdout.flush()


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _mix_of(classes: Sequence[dict[str, Any]]) -> tuple[list[LoadedScenario], tuple[float, ...]]:
    """Returns the scenarios of all classes and their weights. Each user calls by the whole mix, whatever its class.

    Raises:
        UsageError: A class names no scenario, or the classes cannot be combined into one load.
    """
    found: dict[str, tuple[LoadedScenario, float]] = {}
    for one in classes:
        if not one["scenarios"]:
            raise UsageError(
                "the user class has no scenarios", where=one["name"], hint='add scenarios = ["a.yaml"] to the class'
            )
        if len(classes) > 1 and one["fixed_count"]:
            raise UsageError(
                "fixed_count cannot be combined with other classes", where=one["name"], hint="use weight instead"
            )
        loaded, weights = read_mix(one["scenarios"], None)
        for scenario, weight in zip(loaded, weights, strict=True):
            known, so_far = found.get(scenario.name, (scenario, 0.0))
            if known.path.resolve() != scenario.path.resolve():
                raise UsageError(
                    f"the name {scenario.name!r} is already used by {known.path}",
                    where=f"{one['name']}: {scenario.path}",
                    hint="give each scenario a different name",
                )
            found[scenario.name] = (known, so_far + one["weight"] * weight / sum(weights))
    return [scenario for scenario, _ in found.values()], tuple(weight for _, weight in found.values())


def _common(classes: Sequence[dict[str, Any]], name: str) -> Any:
    """Returns the value of an attribute that all classes must share.

    Raises:
        UsageError: The classes differ in it.
    """
    for other in classes[1:]:
        if other[name] != classes[0][name]:
            raise UsageError(
                f"{classes[0]['name']} has {name} {classes[0][name]!r}, {other['name']} has {other[name]!r}: "
                "they must be equal",
                where="the locustfile",
                hint="give Locust one class on its command line, or use the same value in both",
            )
    return classes[0][name]


def _asked(told: dict[str, Any]) -> tuple[Request, Load]:
    """Returns the request and the load that the classes of a locustfile describe.

    Raises:
        UsageError: They are invalid.
    """
    classes = told["classes"]
    common = {name: _common(classes, name) for name in _COMMON}
    loaded, weights = _mix_of(classes)
    engine = engine_name(common["engine"], where="engine")
    request = replace(
        make_request(loaded, resolve_target(common["target"]), several="mix", agent=common["agent"], engine=engine),
        session_rate_per_min=common["session_rate"],
        call_duration_s=read_duration(common["call_duration"], "call_duration"),
    )
    load = Load(plan=LoadPlan(), weights=weights, role=told["role"], expect_workers=told["expect_workers"])
    return request, load


async def _serve() -> int:
    reader = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    line = await reader.readline()
    if not line:
        return EXIT_OK
    request, load = _asked(json.loads(line))
    scenarios = await make_ready(request, _say)
    run = None
    if load.role != "worker":
        planned = planned_load(request, load, len(scenarios))
        run = begin(request, scenarios, planned, clock=SystemClock(), say=_say)
    async with LoadRun(request, load, scenarios, _say, run=run) as loading:
        _tell({"order": loading.order.model_dump(mode="json")})
        line = await reader.readline()
    if run is None:
        return EXIT_OK
    ending = json.loads(line)["ending"] if line else None
    calls, summary = await loading.finish(ending, interrupted=False)
    console = make_console()
    console.file = sys.stderr
    print_summary(console, summary, calls, run.directory.path)
    _tell({"exit": summary.exit_code})
    return EXIT_OK


def main() -> int:
    """Runs the process and returns its exit code. Ignores Ctrl-C, because Locust handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return asyncio.run(_serve())
    except HarnessError as problem:
        _tell(error_message(problem))
        return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main())
