"""Agents of a known capacity, in place of calls: each says whether a hold of so many calls meets the objectives."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from harness.capacity.search import Held, Plan, Stop, next_step
from harness.record.capacity import HoldVerdict

Agent = Callable[[int], HoldVerdict]


def sharp(holds: int) -> Agent:
    """All is well up to so many calls, nothing beyond."""
    return lambda calls: "met" if calls <= holds else "missed"


def soft(edge: float, width: float, rng: random.Random) -> Agent:
    """The chance to be held falls slowly: by `width` in the logarithm of the calls."""

    def hold(calls: int) -> HoldVerdict:
        chance = 1 / (1 + math.exp(max(-50.0, min(50.0, (math.log(calls) - math.log(edge)) / width))))
        return "met" if rng.random() < chance else "missed"

    return hold


def with_accidents(agent: Agent, share: float, rng: random.Random) -> Agent:
    """Now and then a hold comes out as it should not."""
    other: dict[HoldVerdict, HoldVerdict] = {"met": "missed", "missed": "met"}

    def hold(calls: int) -> HoldVerdict:
        verdict = agent(calls)
        return other[verdict] if rng.random() < share else verdict

    return hold


def on_a_machine_for(drives: int, agent: Agent) -> Agent:
    """The harness is fit for no more calls than that."""
    return lambda calls: "unfit" if calls > drives else agent(calls)


def searched(agent: Agent, *, start: int = 2, most: int | None = None) -> tuple[Stop, list[Held]]:
    """The whole search."""
    holds: list[Held] = []
    while True:
        following = next_step(Plan(start, most), holds)
        if isinstance(following, str):
            return following, holds
        holds.append(Held(following.calls, agent(following.calls), thin=not following.full))
