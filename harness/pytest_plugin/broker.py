"""How xdist's workers get the one embedded stack: they ask the controller, over a socket that only this user can open.

The workers collect the tests, so the controller cannot know whether one will need the stack. It listens on a Unix
socket in a folder of mode 0700 and tells each worker the socket's path when that starts; the first worker to ask has
the stack started. The stack's key travels over the socket only: it is in no command line, environment, file or log, and
in nothing that xdist sends. A lock file, the other usual way, leaves open who stops the stack, and has the key on disk.
"""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any]]
_LONGEST_PATH = 90  # bytes; macOS allows 104 for a socket with its name


class Broker:
    """The controller's end: a thread that waits for workers; it costs nothing until one asks.

    Args:
        answer: Answers a worker's request; called in a thread of its own for each.

    Attributes:
        path: The socket.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        short = len(tempfile.gettempdir()) < _LONGEST_PATH - 30
        self._folder = tempfile.mkdtemp(prefix="voice-harness-", dir=None if short else "/tmp")  # noqa: S108 - mkdtemp's
        self.path = str(Path(self._folder) / "stack")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen()
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="voice-harness stack", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closing:
                connection.close()
                return
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rw", encoding="utf-8") as lines:
            request = json.loads(lines.readline())
            lines.write(json.dumps(self._answer(request)) + "\n")
            lines.flush()

    def close(self) -> None:
        """Stops listening and removes the socket."""
        self._closing = True
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.connect(self.path)  # wakes the thread
        self._thread.join(1.0)
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def ask(path: str, request: dict[str, Any]) -> dict[str, Any] | None:
    """The worker's end: sends a request and waits for its answer; None if the controller cannot be reached."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(path)
            with connection.makefile("rw", encoding="utf-8") as lines:
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                answer = lines.readline()
    except OSError:
        return None
    return dict(json.loads(answer)) if answer else None
