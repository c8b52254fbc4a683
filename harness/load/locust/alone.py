"""Supports Locust started directly with a user's locustfile: a companion does the work of `voice-harness load`.

The companion is a child process that is not patched (`harness/cli/companion.py`). It reads the scenarios, starts the
embedded stack, creates the run directory, and finally writes the reports. Locust controls users, duration and stopping.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any

import gevent
from gevent import subprocess
from locust.runners import MasterRunner, WorkerRunner

from harness.errors import EXIT_UNFIT
from harness.load.locust.runtime import Runtime
from harness.load.order import LoadOrder
from harness.process.lines import error_in, line_of, message_in

COMMAND = (sys.executable, "-m", "harness.cli.companion")
CUT_WITHIN_S = 45.0
LOOK_S = 0.2

_log = logging.getLogger(__name__)


def begin_by_itself(environment: Any, user_classes: Sequence[Any]) -> None:
    """Prepares the load that the user classes describe, and registers its end."""
    Alone(environment, user_classes)


class Alone:
    """One process of a directly started Locust."""

    def __init__(self, environment: Any, user_classes: Sequence[Any]) -> None:
        self._environment = environment
        self._leads = not isinstance(environment.runner, WorkerRunner)
        self._drained = False
        self._companion = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        order = self._ask(user_classes)
        self._runtime = environment.voice_runtime = Runtime(environment, order)
        environment.events.test_start.add_listener(lambda environment, **_: self._begin())
        environment.events.test_stopping.add_listener(lambda environment, **_: self._drain())
        environment.events.quitting.add_listener(lambda environment, **_: self._quit())

    def _ask(self, user_classes: Sequence[Any]) -> LoadOrder:
        """Returns the companion's order for the classes; on an error, logs it and ends this process."""
        options = self._environment.parsed_options
        role = "local"
        if isinstance(self._environment.runner, MasterRunner):
            role = "master"
        elif not self._leads:
            role = "worker"
        told = {
            "role": role,
            "expect_workers": getattr(options, "expect_workers", 1) if role == "master" else 1,
            "classes": [
                {
                    "name": each.__name__,
                    "weight": each.weight,
                    "fixed_count": each.fixed_count,
                    "scenarios": list(each.scenarios),
                    "target": each.target,
                    "agent": each.agent,
                    "engine": each.engine,
                    "call_duration": each.call_duration,
                    "session_rate": each.session_rate,
                }
                for each in user_classes
            ],
        }
        self._companion.stdin.write(line_of(told).encode())
        self._companion.stdin.flush()
        line = self._companion.stdout.readline()
        answer = message_in(line)
        if answer is None or "error" in answer:
            problem = None if answer is None else error_in(answer)
            _log.error(problem or "the companion process ended")
            code = EXIT_UNFIT if problem is None else problem.exit_code
            self._environment.process_exit_code = code
            raise SystemExit(code)
        return LoadOrder.model_validate(answer["order"])

    def _begin(self) -> None:
        self._drained = False
        self._runtime.go_on()

    def _drain(self) -> None:
        """Waits --stop-timeout for running calls, then cuts them, before Locust stops its users."""
        board = self._runtime.board
        if board is None or self._drained:
            return
        self._drained = True
        self._runtime.stop_calls()
        self._wait_quiet(board, float(self._environment.stop_timeout or 0.0))
        self._runtime.cut_calls()
        self._wait_quiet(board, CUT_WITHIN_S)

    @staticmethod
    def _wait_quiet(board: Any, most_s: float) -> None:
        since = time.monotonic()
        while time.monotonic() - since < most_s and not board.is_quiet(since):
            gevent.sleep(LOOK_S)

    def _quit(self) -> None:
        self._drain()
        self._runtime.close()
        board = self._runtime.board
        with contextlib.suppress(OSError):
            if board is not None:
                self._companion.stdin.write(line_of({"ending": board.ending()}).encode())
            self._companion.stdin.close()
        line = self._companion.stdout.readline()
        self._companion.wait()
        if board is not None:
            self._environment.process_exit_code = json.loads(line)["exit"] if line else EXIT_UNFIT
