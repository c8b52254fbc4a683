"""Sends spans by OTLP over HTTP, in a thread of its own: a collector that is slow delays nothing but spans."""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from harness import __version__
from harness.errors import ConfigError
from harness.telemetry.options import OTLP
from harness.telemetry.span_kinds import CALL
from harness.telemetry.spans import Span

SERVICE = "voice-harness"
MOST_WAITING = 20_000  # spans; what comes while so many wait is dropped
BATCH = 512  # spans in a request, as OpenTelemetry's own batches
END_S = 10.0
_SCOPE = InstrumentationScope("voice-harness", __version__)
_LOGGER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_WHY_CHARS = 300


@dataclass(frozen=True)
class Sent:
    """What became of all spans; `why` says why the first of them was not delivered."""

    delivered: int
    lost: int
    why: str


class SpanSender:
    """Sends the spans of calls, and tells once when some cannot be delivered.

    Args:
        url: The complete URL to post to.
        say: Receives a line for people; called in another thread.

    Raises:
        ConfigError: A variable `OTEL_…` of the environment cannot be used.
    """

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        self._url = url
        self._say = say
        self._log = _Log()
        try:
            self._exporter = OTLPSpanExporter(endpoint=url)
            ours = Resource({"service.name": SERVICE, "service.version": __version__})
            self._resource = ours.merge(OTELResourceDetector().detect())
        except (ValueError, OSError) as problem:
            what = f"the variables OTEL_… of the environment cannot be used: {problem}"
            raise ConfigError(what, where=OTLP, hint="correct or unset them") from None
        self._waiting: queue.SimpleQueue[list[ReadableSpan] | None] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self._in_queue = self._delivered = self._lost = 0
        self._why = ""
        self._thread = threading.Thread(target=self._send_all, name="otlp", daemon=True)
        self._thread.start()

    def add(self, run: str, call: str, spans: Sequence[Span]) -> None:
        """Queues the spans of a call; `run` names the run among all runs."""
        with self._counting:
            is_full = self._in_queue + len(spans) > MOST_WAITING
            self._in_queue += 0 if is_full else len(spans)
        if is_full:
            self._lose(len(spans), f"{MOST_WAITING:,} spans wait already")
        else:
            self._waiting.put(_readable(run, call, spans, self._resource))

    def close(self) -> Sent:
        """Sends what waits, for at most `END_S`, and returns what became of all."""
        self._waiting.put(None)
        self._thread.join(END_S)
        # Wakes it up where it waits to try again. The library has no type for this method.
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
        self._thread.join(1.0)
        with self._counting:
            self._lost += self._in_queue
            self._in_queue = 0
            return Sent(self._delivered, self._lost, self._why)

    def _send_all(self) -> None:
        is_over = False
        while not is_over:
            batch: list[ReadableSpan] = []
            while len(batch) < BATCH:
                try:
                    spans = self._waiting.get(block=not batch)
                except queue.Empty:
                    break
                if spans is None:
                    is_over = True
                    break
                batch += spans
            if batch:
                self._send(batch)

    def _send(self, batch: list[ReadableSpan]) -> None:
        self._log.forget()
        try:
            is_sent = self._exporter.export(batch) is SpanExportResult.SUCCESS
            why = self._log.told()
        except Exception as problem:  # noqa: BLE001 - whatever the library raises must not end the sending
            is_sent, why = False, repr(problem)
        with self._counting:
            self._in_queue -= len(batch)
            self._delivered += len(batch) if is_sent else 0
        if not is_sent:
            self._lose(len(batch), why)

    def _lose(self, spans: int, why: str) -> None:
        with self._counting:
            self._lost += spans
            is_first, self._why = not self._why, self._why or why or "unknown"
        if is_first:
            self._say(f"traces cannot be delivered to {self._url}: {self._why}; the run goes on")


class _Log(logging.Handler):
    """Keeps why the exporter failed, which it only logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[str] = []
        logger = logging.getLogger(_LOGGER)
        logger.addHandler(self)
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the line."""
        self._lines.append(record.getMessage())

    def forget(self) -> None:
        """Forgets what was kept."""
        self._lines.clear()

    def told(self) -> str:
        """The first line: the ones after it say that it was tried again."""
        return self._lines[0][:_WHY_CHARS] if self._lines else ""


def _readable(run: str, call: str, spans: Sequence[Span], resource: Resource) -> list[ReadableSpan]:
    contexts = {span.key: _context(run, call, span.key) for span in spans}
    return [
        ReadableSpan(
            name=span.name,
            context=contexts[span.key],
            parent=None if span.parent is None else contexts[span.parent],
            resource=resource,
            attributes=dict(span.attributes),
            events=[Event(moment.name, dict(moment.attributes), moment.at_ns) for moment in span.moments],
            kind=SpanKind.CLIENT if span.key == CALL else SpanKind.INTERNAL,
            status=Status(StatusCode.UNSET) if span.failed is None else Status(StatusCode.ERROR, span.failed),
            start_time=span.start_ns,
            end_time=max(span.start_ns, span.end_ns),
            instrumentation_scope=_SCOPE,
        )
        for span in spans
    ]


def _context(run: str, call: str, key: str) -> SpanContext:
    """Ids that follow from run, call and span: exported again, a call is the same trace."""
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(_id(16, run, call), _id(8, run, call, key), is_remote=False, trace_flags=flags)


def _id(size: int, *parts: str) -> int:
    # Zero is no valid id.
    return int.from_bytes(hashlib.blake2b("\0".join(parts).encode(), digest_size=size).digest()) or 1
