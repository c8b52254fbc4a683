"""Gives memory that is no longer used back to the system, which glibc keeps for later (malloc_trim(3))."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


def give_back_memory() -> bool:
    """Takes some milliseconds. False where the C library cannot: others do it by themselves."""
    trim = _malloc_trim()
    return trim is not None and bool(trim(0))


@cache
def _malloc_trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
