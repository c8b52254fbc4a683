"""Serves metrics to Prometheus on 127.0.0.1, and knows when they were last taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from harness.errors import UsageError
from harness.process.ports import LOOPBACK
from harness.telemetry.options import PROMETHEUS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/metrics"
_IDLE_S = 5.0
# How long to wait for a last scrape: the time between the last two and a little more, or that of Prometheus's example.
_FIRST_WAIT_S = 15.0
_LONGEST_WAIT_S = 60.0
_SLACK = 1.2


class MetricsServer:
    """Serves a registry. Each scrape sees the run as it is at that moment.

    Args:
        port: The port; 0 for a free one.
        registry: What is served.
        refresh: Called before each scrape, in its thread.

    Raises:
        UsageError: The port is taken, or may not be used.
    """

    def __init__(self, port: int, registry: CollectorRegistry, refresh: Callable[[], None]) -> None:
        self._served = make_wsgi_app(registry)
        self._refresh = refresh
        self._scrapes_s: list[float] = []
        self._has_ended = False
        self._was_last = False
        self._is_hurried = False
        self._changed = threading.Condition()
        try:
            self._server = make_server(LOOPBACK, port, self._answer, server_class=_Server, handler_class=_Handler)
        except OSError as problem:
            what = f"the port {port} of {LOOPBACK} cannot be used: {problem.strerror}"
            raise UsageError(
                what, where=PROMETHEUS, hint=f"use another one, or {PROMETHEUS} 0 for any free one"
            ) from None
        self.port = int(self._server.server_port)
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"metrics are at {PATH}\n".encode()]
        has_ended = self._has_ended  # before the run is read: what is read then is all
        self._refresh()
        served: Iterable[bytes] = self._served(environ, start)
        with self._changed:
            self._scrapes_s = [*self._scrapes_s[-1:], time.monotonic()]
            self._was_last = has_ended
            self._changed.notify_all()
        return served

    @property
    def wait_s(self) -> float:
        """How long a last scrape is worth waiting for, in seconds; 0 if there was none at all."""
        times = self._scrapes_s
        if not times:
            return 0.0
        return _FIRST_WAIT_S if len(times) < 2 else min(_LONGEST_WAIT_S, (times[1] - times[0]) * _SLACK)

    def run_ended(self) -> None:
        """The run is written: the next scrape is the last that matters."""
        self._has_ended = True

    def await_last(self) -> None:
        """Returns after a scrape of the ended run, after `wait_s`, or when `hurry` is called."""
        with self._changed:
            self._changed.wait_for(lambda: self._was_last or self._is_hurried, self.wait_s)

    def hurry(self) -> None:
        """Waits for no more scrapes."""
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the server; answers under way are sent first."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = False  # closing waits for them


class _Handler(WSGIRequestHandler):
    timeout = _IDLE_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        """Says nothing: standard error is for what went wrong."""
