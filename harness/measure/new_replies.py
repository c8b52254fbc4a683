"""When an agent began to write a reply: frames that carry on the one before, or send it again, are of the same."""

from __future__ import annotations

from collections.abc import Iterable

from harness.clock import NS_PER_MS
from harness.text.as_read import as_read
from harness.timeline.events import TextCame

GROWS_NS = 2_000 * NS_PER_MS  # the same words after longer are said again
STREAM_NS = 300 * NS_PER_MS  # tokens, and the sentences of one answer that is ready, follow one another more closely


class NewReplies:
    """Told each reply frame as it comes; `times_ns` are when replies began."""

    def __init__(self) -> None:
        self.times_ns: list[int] = []
        self._last_ns: int | None = None
        self._last_text = ""
        self._segment: str | None = None

    def add(self, t_ns: int, text: str, segment: str | None = None) -> None:
        """A frame with a text; `segment` where it names one that others share."""
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
    """The same of a call's texts, in their order."""
    replies = NewReplies()
    for event in texts:
        if event.role == "reply":
            segment = None if event.own_id else event.segment
            replies.add(event.t_ns, event.text, segment)
    return replies.times_ns
