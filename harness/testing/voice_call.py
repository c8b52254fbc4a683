"""The type of pytest's fixture `voice_call`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from harness.scenario.model import Scenario
    from harness.testing.voice_result import VoiceResult


class VoiceCall(Protocol):
    """Makes a call: `await voice_call("smoke")` in an asyncio test, `voice_call.now("smoke")` in an ordinary one.

    The scenario is one of

    - the path of a file, absolute or from the test's folder or pytest's rootdir: a text that ends in `.yaml` or `.yml`;
    - the name of a scenario: one in the folders of the ini option `voice_scenarios`, or a shipped one;
    - a `Scenario`, or a mapping with the same keys as a scenario's file.

    Args of both ways to call it:
        scenario: The scenario.
        agent: The agent's id; by default that of `--voice-agent`, the scenario or the target.
        sets: Overrides of scenario keys, such as `session.language=fr`.
        engine: The media engine, `sdk` or `light`; by default that of `--voice-engine`.
        check: Whether to raise `FellShort` if the verdict is `fail`. If false, the result is returned all the same.

    Raises (both):
        FellShort: The call did not pass, by its expectations, thresholds and failures.
        Unfit: The harness was not fit to measure.
        Unreachable: The service, the LiveKit server or the embedded stack could not be reached, or was lost.
        UsageError: There is no such scenario, or it cannot be called.
    """

    async def __call__(
        self,
        scenario: str | os.PathLike[str] | Scenario | Mapping[str, Any],
        *,
        agent: str | None = None,
        sets: Sequence[str] = (),
        engine: str | None = None,
        check: bool = True,
    ) -> VoiceResult:
        """Makes the call while the test's event loop runs on; cancelling it ends the call."""
        ...

    def now(
        self,
        scenario: str | os.PathLike[str] | Scenario | Mapping[str, Any],
        *,
        agent: str | None = None,
        sets: Sequence[str] = (),
        engine: str | None = None,
        check: bool = True,
    ) -> VoiceResult:
        """Makes the call and returns when it is over."""
        ...
