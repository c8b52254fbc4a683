"""The user's cache directory, for what is slow to make and can be remade (the LiveKit server, synthesised phrases)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CACHE_ENV = "VOICE_HARNESS_CACHE"


def user_cache_dir() -> Path:
    """The directory for cached files, which may not exist yet.

    `$VOICE_HARNESS_CACHE`, else `~/Library/Caches/voice-harness` on macOS, else `$XDG_CACHE_HOME/voice-harness`, else
    `~/.cache/voice-harness`. A relative `$XDG_CACHE_HOME` is ignored, as the XDG specification requires.
    """
    own = os.environ.get(CACHE_ENV)
    if own:
        return Path(own).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "voice-harness"
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (xdg if xdg.is_absolute() else Path.home() / ".cache") / "voice-harness"
