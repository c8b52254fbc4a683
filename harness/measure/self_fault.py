"""A fault of the harness itself that a call's timeline shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.record.self_fault import SelfFaultName, SelfFaultSeen
from harness.text.counted import counted

MOST = 10  # of one name: what is broken more often is broken in the whole call


@dataclass(frozen=True, slots=True)
class SelfFault:
    """What cannot be, by its name, and from when to when; None where it concerns the whole call."""

    name: SelfFaultName
    what: str
    from_ns: int | None = None
    to_ns: int | None = None

    @property
    def seen(self) -> SelfFaultSeen:
        """As the call's line has it."""
        return SelfFaultSeen(self.name, self.what)

    def touches(self, start_ns: int, end_ns: int) -> bool:
        """Whether it concerns anything between two times."""
        if self.from_ns is None or self.to_ns is None:
            return True
        return self.from_ns <= end_ns and self.to_ns >= start_ns


def not_too_many(faults: Iterable[SelfFault]) -> Iterator[SelfFault]:
    """Faults of one check; where there are very many, the first stands for all and for the whole call."""
    found = list(faults)
    if len(found) <= MOST:
        yield from found
    else:
        yield SelfFault(found[0].name, f"{found[0].what}, and {counted(len(found) - 1, 'time')} more like it")
