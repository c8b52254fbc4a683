"""What a message of a shard means for its driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ready:
    """The shard is ready: send it the calls that wait for it."""


@dataclass(frozen=True)
class Started:
    """A call has started."""

    call: str


@dataclass(frozen=True)
class Ended:
    """A call has ended; `result` is a `CallResult` in JSON."""

    call: str
    result: dict[str, Any]


@dataclass(frozen=True)
class Happened:
    """An event of a call, as `timeline.codec` writes it."""

    call: str
    entry: dict[str, Any]


@dataclass(frozen=True)
class SecondTold:
    """The state that a shard reports once a second: `alive`, `lag_ms`, `cpu`."""

    number: int
    second: dict[str, Any]


Meaning = Ready | Started | Ended | Happened | SecondTold
