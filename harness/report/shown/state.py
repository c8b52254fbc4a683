"""An outcome, as it is shown."""

from __future__ import annotations

from typing import Literal

from harness.formats import Recorded

Tone = Literal["ok", "bad", "warn", "quiet"]


class State(Recorded):
    """An outcome as a sign and words, so that colour is never the only cue; `tone` is the colour's meaning."""

    sign: str
    words: str
    tone: Tone
