"""A process that makes calls by a `Bridge`: gevent waits for children in a way that asyncio's would not survive.

    python -m tests.load.bridge_calls FOLDER URL MODE

One JSON object comes out: how each call ended, and what the bridge counted.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent

from harness.errors import OwnFailure
from harness.load.locust import bridge as bridge_module
from harness.load.locust.bridge import Bridge
from harness.shards import policy, silence
from harness.shards.protocol import CallOrder, ShardOrder, write_prepared
from tests.prepared import prepared

Made = dict[str, dict[str, Any] | str]
WITHIN_S = 60.0


def wait_until(is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > until_s:
            raise TimeoutError
        gevent.sleep(0.02)


class Calls:
    """Calls that run in greenlets of their own."""

    def __init__(self, folder: Path, url: str) -> None:
        (folder / "timelines").mkdir()
        write_prepared([prepared("x")], folder / "prepared")
        order = ShardOrder(
            engine="light",
            prepared=str(folder / "prepared"),
            directory=str(folder),
            record="none",
            target="fake",
            described="fake",
            kind="session",
            url=url,
            api_key="sk_live_tests_only_0123456789",
            seed=1,
        )
        self.started: list[str] = []
        self.made: Made = {}
        self.bridge = Bridge(order, shards=1, started=self.started.append)

    def start(self, *names: str) -> list[gevent.Greenlet]:
        return [gevent.spawn(self._make, name) for name in names]

    def _make(self, name: str) -> None:
        try:
            result = self.bridge.make(CallOrder(call=name, scenario=0), "light")
            self.made[name] = {key: result[key] for key in ("failure", "cut", "ok")}
        except OwnFailure as problem:
            self.made[name] = f"{problem.kind}: {problem.what}"


def ends(calls: Calls) -> None:
    calls.bridge.begin("light")
    gevent.joinall(calls.start("a"), timeout=WITHIN_S)


def dies(calls: Calls) -> None:
    calls.bridge.begin("light")
    running = calls.start("a", "b")
    wait_until(lambda: len(calls.started) == 2)
    os.kill(calls.bridge.pids[0], signal.SIGKILL)
    gevent.joinall(running, timeout=WITHIN_S)
    again = calls.start("c")
    wait_until(lambda: len(calls.started) == 3)
    calls.bridge.cut()
    gevent.joinall(again, timeout=WITHIN_S)


def freezes(calls: Calls) -> None:
    silence.SILENT_S = 4.0
    calls.bridge.begin("light")
    running = calls.start("a")
    wait_until(lambda: len(calls.started) == 1)
    os.kill(calls.bridge.pids[0], signal.SIGSTOP)
    gevent.joinall(running, timeout=WITHIN_S)


def retires(calls: Calls) -> None:
    policy.CALLS_OF_A_SHARD["light"] = 1
    calls.bridge.begin("light")
    (first,) = calls.bridge.pids
    for name in ("a", "b"):
        gevent.joinall(calls.start(name), timeout=WITHIN_S)
    wait_until(lambda: first not in calls.bridge.pids)


def cut_early(calls: Calls) -> None:
    """One by its greenlet's end and one with all, before any shard is ready."""
    running = calls.start("a", "b")
    wait_until(lambda: bool(calls.bridge.pids))
    running[0].kill(block=False)
    gevent.sleep(0)
    calls.bridge.cut()
    gevent.joinall(running, timeout=WITHIN_S)


def grows(calls: Calls) -> None:
    policy.CALLS_IN_A_SHARD["light"] = 2
    calls.bridge.begin("light", grows=True)
    running = calls.start("a", "b")
    wait_until(lambda: len(calls.bridge.pids) == 2)
    wait_until(lambda: len(calls.started) == 2)
    calls.bridge.cut()
    gevent.joinall(running, timeout=WITHIN_S)


def not_started(calls: Calls) -> None:
    bridge_module.COMMAND = ("/no/such/program",)
    calls.bridge.begin("light")
    gevent.joinall(calls.start("a"), timeout=WITHIN_S)


def closes(calls: Calls) -> None:
    bridge_module.COMMAND = ("/no/such/program",)
    calls.bridge.begin("light")
    running = calls.start("a")
    gevent.sleep(0)
    calls.bridge.close()
    gevent.joinall(running, timeout=WITHIN_S)


MODES = (ends, dies, freezes, retires, cut_early, grows, not_started, closes)


def main() -> None:
    calls = Calls(Path(sys.argv[1]), sys.argv[2])
    {each.__name__: each for each in MODES}[sys.argv[3]](calls)
    shards = len(calls.bridge.pids)
    calls.bridge.close()
    bridge = calls.bridge
    sys.stdout.write(
        json.dumps({"made": calls.made, "shards": shards, "died": bridge.died, "problem": bridge.problem}) + "\n"
    )


if __name__ == "__main__":
    main()
