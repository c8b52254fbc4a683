"""The pipe between a process of Locust and the `voice-harness load` that started it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import gevent
from gevent.fileobject import FileObjectThread
from locust.runners import MasterRunner

from harness.errors import EXIT_OK
from harness.load.locust.runtime import runtime_of
from harness.load.order import LoadOrder
from harness.process.lines import line_of

STATUS_EVERY_S = 1.0
LOOK_S = 0.2

_order: LoadOrder | None = None
_environment: Any = None


def read_order() -> LoadOrder | None:
    """Reads the order from standard input; None if there is none. Keeps it, as Locust passes no data to locustfiles."""
    global _order  # noqa: PLW0603 - see above
    line = sys.stdin.buffer.readline()
    _order = LoadOrder.model_validate_json(line) if line else None
    return _order


def current_order() -> LoadOrder | None:
    """Returns the order of this process; None if Locust was started directly."""
    return _order


def attend(environment: Any) -> None:
    """Reports the status to the parent and executes its orders. Call it when Locust's runner exists."""
    global _environment  # noqa: PLW0603 - the pipe is read before there is an environment
    _environment = environment
    if runtime_of(environment).board is not None:
        gevent.spawn(_tell_status, environment)
    if isinstance(environment.runner, MasterRunner):
        environment.parsed_options.expect_workers = sys.maxsize
        gevent.spawn(_hold, environment)
    environment.events.quitting.add_listener(lambda environment, **_: _end(environment))


def _hold(environment: Any) -> None:
    """Lets Locust begin when the board has its workers: Locust itself would also count refused workers."""
    board = runtime_of(environment).board
    while board is not None and not board.is_complete:
        gevent.sleep(LOOK_S)
    environment.parsed_options.expect_workers = 1


def listen() -> None:
    """Executes the parent's orders, also while Locust is still waiting for a master or workers."""
    for line in FileObjectThread(sys.stdin.buffer, "rb"):
        runtime = None if _environment is None else runtime_of(_environment)
        at_once = json.loads(line)["do"] == "cut"
        if runtime is None:
            break
        if runtime.board is not None:
            if runtime.board.phase == "gathering":  # Locust waits for workers and does not ask the board yet
                _environment.runner.quit()
                _end(_environment)
                break
            runtime.board.interrupt(at_once=at_once)
        elif not runtime.is_led_from_here:
            gevent.spawn(runtime.leave)
    if _environment is not None:
        runtime_of(_environment).close()
    os._exit(EXIT_OK)


def _tell(message: dict[str, Any]) -> None:
    stdout = sys.__stdout__
    try:
        if stdout is not None:
            stdout.write(line_of(message))
            stdout.flush()
    except OSError:  # the parent is gone, so our input ends next
        return


def _tell_status(environment: Any) -> None:
    board = runtime_of(environment).board
    while board is not None:
        _tell({"status": board.status()})
        gevent.sleep(STATUS_EVERY_S)


def _end(environment: Any) -> None:
    runtime = runtime_of(environment)
    if runtime.board is not None:
        _tell({"ending": runtime.board.ending()})
    runtime.close()
    environment.process_exit_code = environment.process_exit_code or EXIT_OK
