"""The speech worker: a process of its own for the models (they are heavy, and the voices are GPL), one thread each.

It ends when its standard input does, and leaves Ctrl-C to its parent.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from harness.errors import HarnessError, StackError
from harness.machine.priority import SPEECH_NICE, stand_back
from harness.process.lines import error_message
from harness.stack.speech.meaning import Meaning
from harness.stack.speech.recogniser import Recogniser
from harness.stack.speech.voice_names import voice_name
from harness.stack.speech.voices import Voices
from harness.stack.speech.wire import Header, Pcm, packed, read_message

if TYPE_CHECKING:
    from harness.stack.knowledge.library import Library

# Read by numpy's and the models' libraries at import, so the parent sets them too (see client).
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
# Without the last, onnxruntime logs its use in the user's cache and in /tmp, and sends it to its vendor.
_OFFLINE = ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TRANSFORMERS_OFFLINE", "ORT_DISABLE_TELEMETRY")

Answer = tuple[Header, Pcm | None]


class Worker:
    """Reads requests from one pipe and writes the answers to another, in the order in which they complete."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO, *, ear_model: Path | None) -> None:
        self._requests = requests
        self._answers = answers
        self._write_lock = threading.Lock()
        self._ear_model = ear_model
        self._voices = Voices()
        # One thread per model: none of them is reentrant, and recognition must not wait for a long text. Documents have
        # their own, as indexing takes long; they share the embeddings, which lock
        self._threads = {name: ThreadPoolExecutor(1, name) for name in ("voice", "ear", "meaning", "documents")}
        self._ear: Recogniser | None = None
        self._meaning: Meaning | None = None
        self._meaning_lock = threading.Lock()
        self._library: Library | None = None

    def run(self) -> None:
        """Serves requests until they end."""
        kinds: dict[str, tuple[str, Callable[[Header, Pcm], Answer]]] = {
            "say": ("voice", self._say),
            "hear": ("ear", self._hear),
            "rank": ("meaning", self._rank),
            "look_up": ("documents", self._look_up),
        }
        while (message := read_message(self._requests)) is not None:
            header, audio = message
            what = header["part"] if header["do"] == "warm" else kinds[header["do"]][0]
            handle = self._warm if header["do"] == "warm" else kinds[header["do"]][1]
            self._threads[what].submit(self._answer, handle, header, audio)

    def _answer(self, handle: Callable[[Header, Pcm], Answer], request: Header, audio: Pcm) -> None:
        try:
            header, pcm = handle(request, audio)
        except HarnessError as problem:
            header, pcm = error_message(problem), None
        except Exception as problem:  # noqa: BLE001 - one request may fail, the models stay loaded for the next
            what = f"the speech worker failed to {request['do']}: {type(problem).__name__}: {problem}"
            header, pcm = error_message(StackError(what)), None
        with self._write_lock, contextlib.suppress(BrokenPipeError):
            self._answers.write(packed({"id": request["id"], **header}, pcm))
            self._answers.flush()

    def _warm(self, request: Header, _audio: Pcm) -> Answer:
        part = request["part"]
        if part == "voice":
            self._voices.load(voice_name(request["voice"], request["language"]))
        elif part == "ear":
            self._hear({"language": "en"}, _tone())
        elif part == "documents":
            self._open_library().index(_paths(request))
        else:
            self._rank({"question": "a", "sentences": ["b"]}, _audio)
        return {}, None

    def _say(self, request: Header, _audio: Pcm) -> Answer:
        return {}, self._voices.say(request["text"], voice_name(request["voice"], request["language"]))

    def _hear(self, request: Header, audio: Pcm) -> Answer:
        self._ear = self._ear or Recogniser(self._ear_model)
        return {"text": self._ear.hear(audio, request["language"], request.get("vocabulary", ()))}, None

    def _rank(self, request: Header, _audio: Pcm) -> Answer:
        return {"scores": self._embeddings().rank(request["question"], request["sentences"])}, None

    def _look_up(self, request: Header, _audio: Pcm) -> Answer:
        found = self._open_library().search(request["said"], _paths(request))
        return {"found": None if found is None else found.to_message()}, None

    def _open_library(self) -> Library:
        if self._library is None:
            # Imported only where an agent has documents, as its libraries take a second to load
            from harness.stack.knowledge.library import Library

            self._library = Library(self._embeddings())
        return self._library

    def _embeddings(self) -> Meaning:
        with self._meaning_lock:
            self._meaning = self._meaning or Meaning()
        return self._meaning


def _paths(request: Header) -> list[Path]:
    return [Path(path) for path in request["documents"]]


def _tone() -> Pcm:
    """Half a second of a hum, which makes the recogniser load and run once."""
    hum: Pcm = (np.sin(np.arange(8000) * 0.05) * 3000).astype(np.int16)
    return hum


def main() -> None:
    """Runs the worker over standard input and output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING)  # before the libraries do, which would log every request
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    stand_back(SPEECH_NICE)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the answers
    requests = sys.stdin.buffer
    first = read_message(requests)
    if first is None:
        return
    ear_model = first[0].get("ear_model")
    worker = Worker(requests, answers, ear_model=Path(ear_model) if ear_model else None)
    answers.write(packed({"ready": True}))
    answers.flush()
    worker.run()
    answers.flush()
    os._exit(0)  # the threads may be synthesising a text that nobody waits for


if __name__ == "__main__":
    main()
