"""What a comparison needs of a call: its values by metric and turn, without texts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.formats import Recorded

Finite = Annotated[float, Field(allow_inf_nan=False)]
# The key of values that belong to no turn: those of the whole call, of its greeting and of its waits.
WHOLE_CALL = 0


class Several(Recorded):
    """The mean of several values, such as one a second, or of several expectations of a turn."""

    mean: Finite
    of: Annotated[int, Field(ge=2)]


class AtLeast(Recorded):
    """A right-censored value: the turn was cut while waiting, so only a lower bound is known."""

    at_least: Finite


Cell = Finite | Several | AtLeast


class CallSamples(Recorded):
    """The fit samples of one call.

    Attributes:
        call: Its id.
        scenario: Its scenario.
        started: When it started, UTC.
        block: In a run that calls two versions in turns: the number of the block of neighbouring calls that it
            belongs to. Calls of one block met the same state of machine and network.
        samples: By metric and turn number (`WHOLE_CALL` for what belongs to no turn). A rate's value is 0 or 1.
    """

    call: str
    scenario: str
    started: str = ""
    block: int | None = None
    samples: dict[str, dict[Annotated[int, Field(ge=0)], Cell]]
