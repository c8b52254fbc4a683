"""A collector: a real HTTP server that takes spans by OTLP and keeps them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATIENCE_S = 30.0


@dataclass
class Collector:
    """What came.

    Attributes:
        url: Its base URL.
        status: What it answers.
        requests: The requests, decoded, with their path and headers.
    """

    url: str = ""
    status: int = 200
    requests: queue.Queue[tuple[str, dict[str, str], ExportTraceServiceRequest]] = field(default_factory=queue.Queue)

    def spans(self) -> list[Span]:
        """All spans that came until now."""
        found: list[Span] = []
        while not self.requests.empty():
            _, _, request = self.requests.get()
            found += [
                span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
            ]
        return found


@contextmanager
def collecting(status: int = 200, reason: str | None = None) -> Iterator[Collector]:
    """A collector on a free port of 127.0.0.1; `reason` stands in its status line."""
    collector = Collector(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            collector.requests.put((self.path, headers, ExportTraceServiceRequest.FromString(body)))
            self.send_response(collector.status, reason)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
