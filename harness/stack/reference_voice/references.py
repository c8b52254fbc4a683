"""From the URL of a reference audio to the voice that speaks like it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from stat import S_ISREG

from harness.stack.reference_voice.choice import VoiceLike, voice_like
from harness.stack.reference_voice.decode import decoded
from harness.stack.reference_voice.fetch import MOST_BYTES, AudioFetcher
from harness.stack.reference_voice.measured import Measured, NoVoiceError, measured
from harness.stack.reference_voice.owner import file_path, is_file
from harness.stack.reference_voice.refused import RefusedError

KEPT = 200


class References:
    """Fetches references and finds voices like them; what was found is kept by the hash of the content.

    Args:
        fetcher: Fetches what is not a file.
    """

    def __init__(self, fetcher: AudioFetcher) -> None:
        self._fetcher = fetcher
        self._measuring = asyncio.Lock()
        self._kept: OrderedDict[str, Measured] = OrderedDict()

    async def voice(self, url: str, language: str, *, by_owner: bool) -> tuple[Measured, VoiceLike]:
        """The reference's pitch and pace, and the voice like it.

        Args:
            url: Where the reference is.
            language: The language to speak.
            by_owner: Whether the owner of the stack gave the URL, in the agents file or by a command: only then it may
                be a file.

        Raises:
            RefusedError: It may not be fetched, or is not usable.
        """
        if by_owner and is_file(url):
            content = await asyncio.to_thread(file_content, url)
        else:
            content = await self._fetcher.fetch(url)
        reference = await self._measured(content)
        return reference, voice_like(reference, language)

    async def _measured(self, content: bytes) -> Measured:
        key = hashlib.sha256(content).hexdigest()
        async with self._measuring:  # calls with the same reference wait for the first to be measured
            if key not in self._kept:
                self._kept[key] = await asyncio.to_thread(measure, content)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


def measure(content: bytes) -> Measured:
    """The pitch and pace of the voice in an audio file.

    Raises:
        RefusedError: It is not usable.
    """
    samples, sample_rate = decoded(content)
    try:
        return measured(samples, sample_rate)
    except NoVoiceError as problem:
        raise RefusedError(f"holds no voice to speak like: {problem}.") from None


def file_content(url: str) -> bytes:
    """The content of the file that a `file:` URL names.

    Raises:
        RefusedError: It is not a file, too large, or not readable.
    """
    path = file_path(url)
    try:
        stat = path.stat()
        if not S_ISREG(stat.st_mode):
            raise RefusedError("is not a file.")
        if stat.st_size > MOST_BYTES:
            raise RefusedError(f"is larger than {MOST_BYTES / 1e6:g} MB.")
        return path.read_bytes()
    except OSError as problem:
        raise RefusedError(f"cannot be read: {problem.strerror}.") from None
