"""A fault of the harness itself that a call's timeline shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.record.self_fault import SelfFaultName, SelfFaultSeen
from harness.text.counted import counted

MOST = 10  # of one kind: beyond that, the whole call is affected


@dataclass(frozen=True, slots=True)
class SelfFault:
    """A fault of the harness: its name, its details, and its period; None if it affects the whole call."""

    name: SelfFaultName
    what: str
    from_ns: int | None = None
    to_ns: int | None = None

    @property
    def seen(self) -> SelfFaultSeen:
        """As the call's line has it."""
        return SelfFaultSeen(self.name, self.what)

    def touches(self, start_ns: int, end_ns: int) -> bool:
        """Whether the fault affects the interval."""
        if self.from_ns is None or self.to_ns is None:
            return True
        return self.from_ns <= end_ns and self.to_ns >= start_ns


def not_too_many(faults: Iterable[SelfFault]) -> Iterator[SelfFault]:
    """Yields the faults of one check; if there are more than `MOST`, the first stands for all, for the whole call."""
    found = list(faults)
    if len(found) <= MOST:
        yield from found
    else:
        yield SelfFault(found[0].name, f"{found[0].what}, and {counted(len(found) - 1, 'time')} more like it")
