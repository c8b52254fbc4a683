"""Divides a load among its workers. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.call.engines.make import EngineName
from harness.load.order import LoadPlan
from harness.run.mix import Mix
from harness.shards.size import shards_for


def share(number: int, *, worker: int, workers: int) -> int:
    """Returns how many of `number` things belong to a worker; workers are numbered from 1."""
    return number // workers + (worker <= number % workers)


def calls_of(plan: LoadPlan, weights: Sequence[float], *, workers: int) -> list[int] | None:
    """Returns how many calls of each scenario are planned; None if that depends on how long they take.

    Args:
        plan: When calls start.
        weights: The weights of the scenarios.
        workers: The number of workers, each of which counts its own calls.
    """
    if plan.slots is not None and not plan.is_dispatched:
        return [plan.slots * plan.repeat] * len(weights)
    total = plan.total(len(weights))
    if total is None:
        return None
    mix, planned = Mix(tuple(weights)), [0] * len(weights)
    for worker in range(1, workers + 1):
        for index in range(share(total, worker=worker, workers=workers)):
            planned[mix.pick(index)] += 1
    return planned


def shards_of(
    plan: LoadPlan, engine: EngineName, *, scenarios: int, worker: int, workers: int
) -> dict[EngineName, int]:
    """Returns how many shards of each engine a worker starts with: for its calls, and for its canaries."""
    most = plan.most(scenarios)
    shards = {engine: shards_for(1 if most is None else max(1, -(-most // workers)), engine)}
    if canaries := share(plan.canaries, worker=worker, workers=workers):
        shards["sdk"] = shards_for(canaries, "sdk")
    return shards


def shards_in_all(plan: LoadPlan, engine: EngineName, *, scenarios: int, workers: int) -> int:
    """Returns the number of shards of all workers, which share the session rate."""
    each = (
        shards_of(plan, engine, scenarios=scenarios, worker=worker, workers=workers) for worker in range(1, workers + 1)
    )
    return sum(sum(shards.values()) for shards in each)
