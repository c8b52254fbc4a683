"""Human speech for the benches: a telephone exchange's prompts, from Debian's packages, never committed.

Packages `asterisk-core-sounds-…-g722`: 16 kHz, five languages, recorded by Allison Smith (English, Spanish), June
Wallack (French), Carlo Flora (Italian), all CC-BY-SA 3.0, and a voice of ivrvoice.ru, provided by Maxim Topal (Russian,
CC-BY 3.0). They are downloaded with apt and unpacked with dpkg-deb into the user's cache, which takes no root.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.cache import user_cache_dir

CREDIT = (
    "human speech: Asterisk's core sounds by Allison Smith, June Wallack and Carlo Flora (CC-BY-SA 3.0) "
    "and ivrvoice.ru (CC-BY 3.0)"
)
LANGUAGES = ("en", "es", "fr", "it", "ru")
RATE = 16_000
SHORTEST_S, LONGEST_S = 1.0, 5.0
BYTES_PER_S = 8_000  # of G.722 at 64 kbit/s
WAIT_S = 120.0


class NoHumanSpeechError(Exception):
    """The packages cannot be had here; the message says why."""


def human_speech(per_language: int, *, seed: int) -> list[NDArray[np.float32]]:
    """Recordings of 1 to 5 s, `(frames,)` float at 16 kHz, the same ones for a seed.

    Raises:
        NoHumanSpeechError: No apt, no dpkg-deb, no PyAV, or no way to the packages.
    """
    try:
        import av  # noqa: F401  (decodes G.722; comes with the extra `stack`)
    except ImportError as error:
        raise NoHumanSpeechError("PyAV is not installed, nothing else here decodes G.722") from error
    chosen = random.Random(seed)
    found: list[NDArray[np.float32]] = []
    for language in LANGUAGES:
        files = [
            path
            for path in sorted(_unpacked(language).glob("usr/share/asterisk/sounds/*/*.g722"))
            if SHORTEST_S <= path.stat().st_size / BYTES_PER_S <= LONGEST_S
        ]
        found += [_decoded(path) for path in chosen.sample(files, min(per_language, len(files)))]
    return found


def _unpacked(language: str) -> Path:
    """The folder with a language's recordings; downloads it once."""
    folder = user_cache_dir() / "human-speech" / language
    if folder.is_dir():
        return folder
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise NoHumanSpeechError(f"there is no {tool} on this machine")
    making = folder.with_name(f"{language}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    package = f"asterisk-core-sounds-{language}-g722"
    _run(["apt-get", "download", package], making)
    archive = next(making.glob("*.deb"))
    _run(["dpkg-deb", "-x", str(archive), str(making)], making)
    archive.unlink()
    making.replace(folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=WAIT_S)
    except subprocess.TimeoutExpired as error:
        raise NoHumanSpeechError(f"{' '.join(command[:2])} took over {WAIT_S:.0f} s") from error
    except subprocess.CalledProcessError as error:
        raise NoHumanSpeechError(f"{' '.join(command)}: {(error.stderr or '').strip()[-200:]}") from error


def _decoded(path: Path) -> NDArray[np.float32]:
    import av

    with av.open(str(path), format="g722") as file:
        pcm = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])
    samples: NDArray[np.float32] = pcm.astype(np.float32) / np.float32(32768)
    return samples
