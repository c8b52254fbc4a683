"""Creates an engine by name, importing only the one that is needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from harness.call.engines.line import Engine
from harness.clock import Clock
from harness.errors import UsageError

EngineName = Literal["sdk", "light"]
DEFAULT_ENGINE: EngineName = "sdk"


def engine_name(text: str, *, where: str = "--engine") -> EngineName:
    """The engine of that name.

    Raises:
        UsageError: There is none.
    """
    for name in get_args(EngineName):
        if text == name:
            return name  # type: ignore[no-any-return] # it is one of the names
    raise UsageError(f"{where} must be {' or '.join(get_args(EngineName))} (got {text!r})")


async def make_engine(name: EngineName, clock: Clock, utterances: Iterable[NDArray[np.int16]] = ()) -> Engine:
    """An engine for the running event loop, with everything prepared that no call should wait for.

    Args:
        name: The engine's name.
        clock: Time source.
        utterances: What will be said, `(frames,)` int16 mono at 48 kHz each.

    Raises:
        ConfigError: A library that it needs has an unknown version.
    """
    if name == "light":
        # Never together with the SDK, whose native runtime alone takes more memory than fifty calls of this engine.
        from harness.call.engines.light import LightEngine

        engine = LightEngine(clock)
        await engine.prepare(utterances)
        return engine
    from harness.call.engines.sdk import SdkEngine

    return SdkEngine(clock)
