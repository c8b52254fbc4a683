"""Times of a call (ns): the first known one, and spans in the milliseconds of a result."""

from __future__ import annotations

from collections.abc import Callable

from harness.clock import NS_PER_MS

Position = Callable[[int | None], float | None]  # from a time (ns) to its position in the call (ms)


def first_known(*values: int | None) -> int:
    """The first value that is not None; there must be one."""
    return next(value for value in values if value is not None)


def span_ms(start_ns: int | None, end_ns: int | None) -> float | None:
    """From one time to another, in milliseconds; None if either is unknown."""
    if start_ns is None or end_ns is None:
        return None
    return round((end_ns - start_ns) / NS_PER_MS, 1)


def duration_ms(duration_ns: int | None) -> float | None:
    """A duration in milliseconds; None if it is unknown."""
    return None if duration_ns is None else round(duration_ns / NS_PER_MS, 1)
