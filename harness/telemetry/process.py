"""The exporting process: `python -m harness.telemetry.process`, started by `exporting.py`.

Lines of standard input: first `Telemetry.order()`, then {"follow": FOLDER}, at last {"end": {"wait": bool}}, and
{"hurry": true} to end the wait for a last scrape. Lines of standard output: {"ready": {"port": PORT|null}} or an
error (`process/lines.py`), {"following": FOLDER}, {"say": a line for people}, and at the end
{"ended": {"delivered": N, "lost": N}}.

It is a process of its own, with a lower priority, so that no scrape and no export delays a call.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_OK, EXIT_USAGE, ConfigError, UsageError
from harness.machine.priority import stand_back
from harness.process.line_writer import LineWriter
from harness.process.lines import error_message, message_in
from harness.record.result import CallResult
from harness.record.run_directory import RunDirectory
from harness.telemetry.exposition import Exposition
from harness.telemetry.follow import RunFollower
from harness.telemetry.serve import MetricsServer
from harness.timeline.timeline import read_timeline

if TYPE_CHECKING:
    from harness.telemetry.otlp import SpanSender

NICE = 10
EVERY_S = 1.0


class Exporter:
    """Exports one run.

    Args:
        order: The first line.
        lines: Sends lines to the starter.

    Raises:
        UsageError: The port or the settings of the environment cannot be used.
    """

    def __init__(self, order: dict[str, Any], lines: LineWriter) -> None:
        self._lines = lines
        self._reading = threading.Lock()
        self._follower: RunFollower | None = None
        self._unsent: queue.SimpleQueue[CallResult] = queue.SimpleQueue()
        self._has_begun = False
        self._exposition = Exposition()
        self._server: MetricsServer | None = None
        self._sender: SpanSender | None = None
        if order["otlp"] is not None:
            from harness.telemetry.otlp import SpanSender

            os.environ.update(order["otlp"]["settings"])
            self._sender = SpanSender(order["otlp"]["url"], self.say)
        if order["prometheus"] is not None:
            self._server = MetricsServer(order["prometheus"], self._exposition.registry, self.read_on)

    @property
    def port(self) -> int | None:
        """The port of the metrics; None if there are none."""
        return None if self._server is None else self._server.port

    def say(self, line: str) -> None:
        """Tells people a line."""
        self._lines.tell({"say": line})

    def follow(self, folder: Path) -> None:
        """Begins to follow a run."""
        with self._reading:
            self._follower = RunFollower(folder)

    def read_on(self) -> None:
        """Takes in what the run has written since; may be called in several threads."""
        with self._reading:
            follower = self._follower
            if follower is None:
                return
            if not self._has_begun and follower.settings is not None:
                self._has_begun = True
                self._exposition.begin(follower.settings)
            unread = follower.unread
            for call in follower.read_on():
                self._exposition.add(call)
                if self._sender is not None:
                    self._unsent.put(call)
            self._exposition.alive(follower.alive())
            if follower.unread and not unread:
                self.say("live metrics: a line of calls.jsonl cannot be read, and is left out")

    def send_traces(self) -> None:
        """Sends the calls that were read. Not a scrape's work: it reads timelines, which may take longer."""
        if self._sender is None or self._follower is None:
            return
        while not self._unsent.empty():
            self._send(self._unsent.get(), self._follower, self._sender)

    @staticmethod
    def _send(call: CallResult, follower: RunFollower, sender: SpanSender) -> None:
        from harness.telemetry.spans import spans_of

        settings = follower.settings
        run, started = (follower.folder.name, "") if settings is None else (settings.run, settings.started)
        try:
            spans = spans_of(call, read_timeline(RunDirectory(follower.folder).timeline(call.call)), run)
        except (OSError, ValueError, LookupError, ConfigError):  # no timeline, or a damaged one
            spans = spans_of(call, [], run)
        sender.add(f"{run} {started}", call.call, spans)

    def end(self, *, wait: bool) -> dict[str, Any]:
        """Exports the rest, and returns what became of all.

        Args:
            wait: Whether to wait for a last scrape, if there were any.
        """
        self.read_on()
        self.send_traces()
        sent = None if self._sender is None else self._sender.close()
        if self._server is not None:
            self._server.run_ended()
            if wait and self._server.wait_s:
                self.say(f"waiting for a last scrape, at most {self._server.wait_s:.0f} s")
                self._server.await_last()
            self._server.close()
        return {"delivered": 0, "lost": 0} if sent is None else {"delivered": sent.delivered, "lost": sent.lost}

    def hurry(self) -> None:
        """Waits for no last scrape."""
        if self._server is not None:
            self._server.hurry()


def main() -> int:
    """Exports one run; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stand_back(NICE)
    lines = LineWriter(sys.stdout)
    try:
        exporter = Exporter(message_in(sys.stdin.readline()) or {}, lines)
    except UsageError as problem:
        lines.tell(error_message(problem))
        lines.close()
        return EXIT_USAGE
    lines.tell({"ready": {"port": exporter.port}})
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(exporter, orders), name="orders", daemon=True).start()
    while True:
        try:
            order = orders.get(timeout=EVERY_S)
        except queue.Empty:
            exporter.read_on()
            exporter.send_traces()
            continue
        if "follow" in order:
            exporter.follow(Path(order["follow"]))
            lines.tell({"following": order["follow"]})
        if "end" in order:
            lines.tell({"ended": exporter.end(wait=bool(order["end"]["wait"]))})
            lines.close()
            return EXIT_OK


def _read_orders(exporter: Exporter, orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Reads orders to the end of standard input, which is the end of the run's process, however that ends."""
    for line in sys.stdin:
        order = message_in(line) or {}
        if "hurry" in order:
            exporter.hurry()
        orders.put(order)
    exporter.hurry()
    orders.put({"end": {"wait": False}})


if __name__ == "__main__":
    sys.exit(main())
