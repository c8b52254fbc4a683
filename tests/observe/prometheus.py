"""A small server that speaks Prometheus' HTTP API on a socket: what it answers depends on the query."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOSTILE = "\x1b[31m<script>alert(1)</script>\u202e"


@dataclass
class Prometheus:
    """A running server.

    Attributes:
        ahead_s: How far its clock is ahead of this machine's.
        token: The bearer token that it asks for, if any.
        scraped_until_s: It has no samples after this time, by its own clock.
        asked: The path and the parameters of each request.
        headers: The headers of the last one.
        is_slow: Set once a slow query was asked.
        released: Set to end the answers that are slow.
    """

    url: str = ""
    ahead_s: float = 0.0
    token: str | None = None
    scraped_until_s: float = float("inf")
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    is_slow: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def ranges(self) -> list[dict[str, str]]:
        """The parameters of the range queries."""
        return [parameters for path, parameters in self.asked if path.endswith("/api/v1/query_range")]

    def answer(self, path: str, parameters: dict[str, str]) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        query = parameters["query"]
        if self.token is not None and self.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, "text/plain", b"Unauthorized"
        if path.endswith("/query"):
            now_s = time.time() + self.ahead_s
            return _json(200, _data("scalar", [now_s, f"{now_s:.3f}"]))
        match query:
            case "slow":
                self.is_slow.set()
                self.released.wait(30)
                return _json(200, _data("matrix", []))
            case "refused":
                return _json(400, {"status": "error", "errorType": "bad_data", "error": f"parse error {HOSTILE}"})
            case "proxy":
                return 502, "text/html", b"<html><body>Bad Gateway</body></html>"
            case "moved":
                return 302, "text/html", b""
            case "html":
                return 200, "text/html", b"<html>log in</html>"
            case "half":
                return 200, "application/json", b'{"status": "success", "data": {"resultType": "matrix", "result": [{'
            case "deep":
                return 200, "application/json", b"[" * 100_000
            case "vector":
                return _json(200, _data("vector", [{"metric": {}, "value": [1, "1"]}]))
            case "huge":
                return 200, "application/json", b" " * 9_000_000
            case "nothing":
                return _json(200, _data("matrix", []))
            case "histogram":
                return _json(200, _data("matrix", [{"metric": {}, "histograms": [[1, {}]]}]))
            case "many":
                return _json(200, _data("matrix", [self._series(parameters, 0, n, host=f"h{n}") for n in range(30)]))
            case "hosts":
                labels = [{"host": "a", "job": "agent"}, {"host": HOSTILE, "job": "agent"}]
                return _json(200, _data("matrix", [self._series(parameters, 0, 1, **each) for each in labels]))
            case "odd":
                texts = ["NaN", "+Inf", "-Inf", "1e999", "junk", "2.5"]
                start = float(parameters["start"])
                values = [[start + number, text] for number, text in enumerate(texts)]
                return _json(200, _data("matrix", [{"metric": {}, "values": [[start - 60, "7"], *values[::-1]]}]))
            case _:
                return _json(200, _data("matrix", [self._series(parameters, 1, 0)]))

    def _series(self, parameters: dict[str, str], slope: float, base: float, **labels: str) -> dict[str, Any]:
        """What grows by `slope` a second of true time, from `base` at 1970."""
        start, end, step = (float(parameters[name]) for name in ("start", "end", "step"))
        count = int((end - start) / step + 1e-9) + 1
        times = [start + number * step for number in range(count)]
        values = [[at, repr(base + slope * (at - self.ahead_s))] for at in times if at <= self.scraped_until_s]
        return {"metric": labels, "values": values}


def _data(kind: str, result: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def _json(status: int, body: Any) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(body).encode()


@contextmanager
def prometheus(**settings: Any) -> Iterator[Prometheus]:
    """Runs a server while it is entered."""
    state = Prometheus(**settings)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
            state.headers = dict(self.headers)
            state.asked.append((parts.path, parameters))
            status, kind, body = state.answer(parts.path, parameters)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:  # the client may have seen enough
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield state
        finally:
            state.released.set()
            server.shutdown()
            serving.join()
