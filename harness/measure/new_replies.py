"""Finds when an agent began to write replies; a frame that continues or repeats the previous one is the same reply."""

from __future__ import annotations

from collections.abc import Iterable

from harness.clock import NS_PER_MS
from harness.text.as_read import as_read
from harness.timeline.events import TextCame

GROWS_NS = 2_000 * NS_PER_MS  # the same words after a longer time are a new reply
STREAM_NS = 300 * NS_PER_MS  # tokens, and the sentences of a finished answer, arrive closer together


class NewReplies:
    """Collects reply frames in order of arrival; `times_ns` are the times at which replies began."""

    def __init__(self) -> None:
        self.times_ns: list[int] = []
        self._last_ns: int | None = None
        self._last_text = ""
        self._segment: str | None = None

    def add(self, t_ns: int, text: str, segment: str | None = None) -> None:
        """Adds a frame with a text; `segment` is its segment id if it is shared by several frames."""
        read = as_read(text)
        if not read:
            return
        follows = self._last_ns is not None and t_ns - self._last_ns < STREAM_NS
        other = segment is not None and self._segment is not None and segment != self._segment
        recent = self._last_ns is not None and t_ns - self._last_ns < GROWS_NS
        alike = bool(self._last_text) and (read.startswith(self._last_text) or self._last_text.startswith(read))
        grows = alike and recent and not other
        if not (follows or grows or (segment is not None and segment == self._segment)):
            self.times_ns.append(t_ns)
        self._last_ns, self._last_text, self._segment = t_ns, read, segment


def new_replies_ns(texts: Iterable[TextCame]) -> list[int]:
    """When replies began, from a call's texts in order."""
    replies = NewReplies()
    for event in texts:
        if event.role == "reply":
            segment = None if event.own_id else event.segment
            replies.add(event.t_ns, event.text, segment)
    return replies.times_ns
