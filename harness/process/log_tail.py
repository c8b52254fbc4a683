"""What a child process last said, for the day it falls: bounded, and without secrets."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

from harness.secret import MASK, Secret

LINES_KEPT = 100
LINE_CHARS = 600
# Access tokens (JWT) and API keys, whoever made them.
_SECRET_SHAPES = re.compile(r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?|\bsk_[\w-]{8,}")


class LogTail:
    """The last lines of a child's output.

    Args:
        secrets: Masked wherever they occur, beside anything shaped like a token or a key.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets = tuple(secrets)
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)

    def add(self, line: bytes | str) -> None:
        """Takes one line; the oldest goes when there are more than `LINES_KEPT`."""
        text = line.decode(errors="replace") if isinstance(line, bytes) else line
        text = text.rstrip()
        if text:
            self._lines.append(self.scrub(text)[:LINE_CHARS])

    def scrub(self, text: str) -> str:
        """`text` without secrets."""
        for secret in self._secrets:
            text = secret.scrub(text)
        return _SECRET_SHAPES.sub(MASK, text)

    def last(self, lines: int = LINES_KEPT) -> str:
        """The last lines as one text; empty where nothing was said."""
        return "\n".join(list(self._lines)[-lines:])
