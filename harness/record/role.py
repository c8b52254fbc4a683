"""What a call is in its run, decided before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from harness.timeline.events import CallStarted, Side


@dataclass(frozen=True, slots=True)
class Role:
    """What a call is in its run; by default one of those that are measured and judged.

    Attributes:
        warm_up: It belongs to the warm-up; such calls are in no number.
        canary: It runs on the other engine, beside a load, and is reported separately.
        side: Which of two versions it calls; only the calls of `run` are judged.
        block: The number of the block of neighbouring calls that it belongs to, if two versions are called in turns.
    """

    warm_up: bool = False
    canary: bool = False
    side: Side = "run"
    block: int | None = None

    @property
    def counts(self) -> bool:
        """Whether the call is in the run's numbers and its verdict."""
        return not self.warm_up and not self.canary and self.side == "run"


ORDINARY = Role()


def role_of(event: CallStarted) -> Role:
    """Returns the role that a timeline names."""
    return Role(event.warm_up, event.canary, event.side, event.block)
