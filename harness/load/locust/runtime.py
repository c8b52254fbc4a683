"""Our part of a process of Locust: messages, the board of the master, the calls of a worker."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

import gevent
from gevent.event import Event
from locust import runners
from locust.exception import StopUser
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from harness import __version__
from harness.caller.prepare import Prepared
from harness.errors import EXIT_USAGE
from harness.load.locust.board import Board
from harness.load.locust.caller import Caller
from harness.load.locust.messages import (
    CUT,
    ENDED,
    GO,
    GO_ON,
    HELLO,
    READY,
    REFUSED,
    SECOND,
    SETUP,
    STARTED,
    STOP,
    Setup,
)
from harness.load.locust.voice_tab import add_voice_tab
from harness.load.order import LoadOrder, digest
from harness.shards.protocol import read_prepared

MASTER_GONE_S = 10.0  # without a heartbeat from the master for this long, a worker ends
WORKER_GONE_BEATS = 10
"""Heartbeats, one a second, after which a worker without any is missing. With Locust's three, a machine that is
saturated loses workers whose calls go on."""

_log = logging.getLogger(__name__)


class Runtime:
    """The runtime of one process; created when Locust's runner exists.

    Attributes:
        board: The board; None on a worker.

    Args:
        environment: Locust's environment.
        order: The order of the load.
    """

    def __init__(self, environment: Any, order: LoadOrder) -> None:
        self.environment = environment
        self.order = order
        self._runner = environment.runner
        self._scenarios: list[Prepared] = read_prepared(order.calls.prepared)
        self._caller: Caller | None = None
        self._is_set_up = Event()
        self._answered = False
        self.board: Board | None = None
        if isinstance(self._runner, LocalRunner | MasterRunner):
            self._lead()
        if isinstance(self._runner, LocalRunner | WorkerRunner):
            self._work()

    @property
    def scenario_count(self) -> int:
        """The number of scenarios."""
        return len(self._scenarios)

    def _on(self, name: str, act: Any, *, concurrent: bool = False) -> None:
        def told(environment: Any, msg: Any, **_: Any) -> None:
            del environment
            act(getattr(msg, "node_id", "local") or "local", msg.data)

        self._runner.register_message(name, told, concurrent=concurrent)

    # -- on the master -------------------------------------------------------------------------------------------------

    def _lead(self) -> None:
        board = self.board = Board(
            self.order,
            self._scenarios,
            go=self._go,
            stop=self.stop_calls,
            cut=self.cut_calls,
        )
        self._on(HELLO, self._hello)
        self._on(READY, lambda client, data: board.ready(client))
        self._on(STARTED, lambda client, data: board.call_started(client, data["call"], data["scenario"]))
        self._on(ENDED, lambda client, data: board.call_ended(client, data["line"], data["timeline"]))
        self._on(SECOND, board.second)
        if isinstance(self._runner, MasterRunner):
            runners.HEARTBEAT_LIVENESS = WORKER_GONE_BEATS
            gevent.spawn(self._watch_workers, board)
        if self.environment.web_ui is not None:
            add_voice_tab(self.environment.web_ui, board)

    def _hello(self, client: str, data: Mapping[str, Any]) -> None:
        board = self.board
        if board is None:
            return
        why = self._unfit(board, client, data)
        if why is not None:
            board.refuse(why)
            _log.error(why)
            self._runner.send_message(REFUSED, {"why": why}, client_id=client)
            self._forget(client)
            return
        worker = board.workers.get(client) or board.joined(client, data["host"], data["pid"])
        calls = self.order.calls
        setup = Setup(
            number=worker.number,
            workers=1 if self.order.role == "local" else self.order.load.workers,
            directory=calls.directory,
            mark=self.order.mark,
            plan=self.order.load.plan,
            url=calls.url if calls.kind == "embedded" else None,
            api_key=calls.api_key if calls.kind == "embedded" else None,
        )
        self._runner.send_message(SETUP, {"setup": setup.model_dump_json()}, client_id=client)

    def _forget(self, client: str) -> None:
        """Takes a refused worker from Locust, which would give it users that never start."""
        node = self._runner.clients.pop(client, None) if isinstance(self._runner, MasterRunner) else None
        if node is not None and self._runner._users_dispatcher is not None:  # noqa: SLF001 - Locust has no public way
            self._runner._users_dispatcher.remove_worker(node)  # noqa: SLF001 - see above

    def _unfit(self, board: Board, client: str, data: Mapping[str, Any]) -> str | None:
        """Returns why a worker cannot take part; None if it can."""
        who = f"the worker on {data['host']} (process {data['pid']})"
        ours = digest(self._scenarios)
        if data["digest"] != ours:
            return (
                f"{who} has different scenarios or a different version: {data['digest']} of voice-harness "
                f"{data['version']}, the master has {ours} of {__version__}"
            )
        is_new = client not in board.workers
        if is_new and board.plan.is_dispatched and len(board.workers) >= self.order.load.workers:
            return f"{who} joined too late: all calls were assigned to the expected number of workers"
        return None

    def _go(self, shares: dict[int, dict[str, Any]]) -> None:
        board = self.board
        for client, worker in board.workers.items() if board is not None else ():
            if not worker.gone:
                self._runner.send_message(GO, shares.get(worker.number, {}), client_id=client)

    def stop_calls(self) -> None:
        """Starts no more calls on any worker."""
        self._runner.send_message(STOP, {})

    def cut_calls(self) -> None:
        """Cuts the running calls of every worker."""
        self._runner.send_message(CUT, {})

    def go_on(self) -> None:
        """Lets calls start again after a stop."""
        if self.board is not None:
            self._runner.send_message(GO_ON, {})

    def _watch_workers(self, board: Board) -> None:
        """Reports to the board the workers that Locust has lost."""
        while True:
            gevent.sleep(0.5)
            clients = self._runner.clients
            there = {client for client in clients if clients[client].state != "missing"}
            for client in list(board.workers):
                if client not in there:
                    board.vanished(client)

    # -- on a worker ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        self._on(SETUP, self._set_up, concurrent=True)
        self._on(REFUSED, self._refuse, concurrent=True)
        self._on(GO, self._begun, concurrent=True)
        self._on(CUT, lambda client, data: self._caller.cut() if self._caller is not None else None, concurrent=True)
        self._on(STOP, lambda client, data: self._halt(halted=True))
        self._on(GO_ON, lambda client, data: self._halt(halted=False))
        hello = {"digest": digest(self._scenarios), "version": __version__, "host": socket.gethostname()}
        # Locust waits for resting users, which end only when they see the stop.
        self.environment.events.test_stopping.add_listener(lambda **_: self._halt(halted=True))
        gevent.spawn(self._greet, {**hello, "pid": os.getpid()})
        if isinstance(self._runner, WorkerRunner):
            gevent.spawn(self._watch_master)

    def _greet(self, hello: dict[str, Any]) -> None:
        """Sends HELLO until the master answers, because it may not be listening yet."""
        while not self._answered:
            self._runner.send_message(HELLO, hello)
            gevent.sleep(1.0)

    def _halt(self, *, halted: bool) -> None:
        if self._caller is not None:
            (self._caller.stopping.set if halted else self._caller.stopping.clear)()

    def _set_up(self, client: str, data: Mapping[str, Any]) -> None:
        del client
        if self._answered:
            return
        self._answered = True
        self._caller = Caller(
            self.order,
            self._scenarios,
            Setup.model_validate_json(data["setup"]),
            send=self._runner.send_message,
            fire=self.environment.events.request.fire,
        )
        self._caller.begin()
        self._is_set_up.set()

    def _refuse(self, client: str, data: Mapping[str, Any]) -> None:
        del client
        self._answered = True
        _log.error(data["why"])
        sys.stderr.flush()
        os._exit(EXIT_USAGE)  # without a message to Locust's master, which would end with its last worker

    def _begun(self, client: str, data: Mapping[str, Any]) -> None:
        del client
        caller = self.caller()
        if data.get("burst"):
            caller.dispatch_burst(int(data["burst"]), int(data["share"]))
        else:
            caller.go()

    def _watch_master(self) -> None:
        """Cuts the calls and ends the worker if the master is gone: their results would go nowhere."""
        while True:
            gevent.sleep(1.0)
            heard = self._runner.last_heartbeat_timestamp
            if heard and time.time() - heard > MASTER_GONE_S:
                _log.error("the master no longer answers: running calls are cut")
                if self._caller is not None:
                    self._caller.close()
                self._runner.quit()
                return

    def caller(self) -> Caller:
        """Waits for the master's setup and returns the `Caller` of this worker.

        Raises:
            StopUser: There is none.
        """
        self._is_set_up.wait()
        if self._caller is None:
            raise StopUser
        return self._caller

    def dispatch(self) -> None:
        """Starts all calls of the open model by the clock, in the only user of Locust on this worker."""
        caller = self.caller()
        if caller.plan.rate_per_min is not None:
            caller.dispatch_rate()
        self.rest()

    def rest(self) -> None:
        """Waits until the load ends, for a user that has nothing more to do.

        Raises:
            StopUser: Always, at the end.
        """
        self.caller().stopping.wait()
        raise StopUser

    @property
    def is_led_from_here(self) -> bool:
        """Whether the load's master has the same parent process, which tells it when to end."""
        return self.order.load.is_led_from_here

    def leave(self) -> None:
        """Ends only this worker: cuts its calls, waits until their results are sent to the master, and quits."""
        if self._caller is not None:
            self._caller.cut()
            self._caller.wait_quiet()
        self._runner.quit()

    def close(self) -> None:
        """Ends this process's shards."""
        if self._caller is not None:
            self._caller.close()


def runtime_of(environment: Any) -> Runtime:
    """Returns the runtime of Locust's environment."""
    runtime: Runtime = environment.voice_runtime
    return runtime
