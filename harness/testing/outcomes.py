"""How a call in a test may end other than by passing. The pytest plugin counts each of them apart.

Of the exception tree in `harness/errors.py`::

    HarnessError
    └── CallOutcome
        ├── FellShort        1    the agent fell short; also an AssertionError
        ├── Unreachable      3    service, LiveKit server or network: no call was made, or it was lost
        └── Unfit            4    the harness was not fit to measure: nothing is known of the agent
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_UNFIT, HarnessError

if TYPE_CHECKING:
    from harness.testing.voice_result import VoiceResult


class CallOutcome(HarnessError):  # noqa: N818 - an outcome, as the three below
    """A call that did not pass.

    Attributes:
        status: Its name in pytest's summary, in JUnit and in reports of tests.
        result: The result; None if there was no call.
    """

    __module__ = "harness.testing"  # where users import them from; failures show it
    status: ClassVar[str] = ""

    def __init__(self, what: str, *, hint: str | None = None, result: VoiceResult | None = None) -> None:
        super().__init__(what, hint=hint)
        self.result = result


class FellShort(CallOutcome, AssertionError):  # noqa: N818 - as above
    """The agent fell short: the call failed, an expectation or a threshold did not hold, or a number is missing."""

    __module__ = "harness.testing"
    status = "failed"
    exit_code = EXIT_AGENT


class Unreachable(CallOutcome):
    """Infrastructure: the session service, the LiveKit server, the embedded stack or the network."""

    __module__ = "harness.testing"
    status = "unreachable"
    exit_code = EXIT_INFRASTRUCTURE


class Unfit(CallOutcome):
    """The harness was not fit to measure. It says nothing about the agent; call again, with less beside it."""

    __module__ = "harness.testing"
    status = "unfit"
    exit_code = EXIT_UNFIT
