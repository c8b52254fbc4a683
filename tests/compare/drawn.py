"""Sets of calls drawn from recorded ones, to see how often a verdict is wrong and how often a difference is found.

`tests/files/desk_calls.json` has 109 calls of six turns (spoken, typed, a barge-in) against an agent whose delays are
log-normal with a slow tail, recorded with engine `light`. The machine was overloaded by other work, so the harness
marked three of four turns unfit. All are taken here: only their spread is used, and it is a hard one (set-up times and
barge-ins with single values ten times the median, failed calls and expectations).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from harness.metrics.registry import METRICS
from harness.record.baseline import read_baseline
from harness.record.call_samples import AtLeast, CallSamples, Cell, Several

RECORDED = Path(__file__).parents[1] / "files" / "desk_calls.json"
Change = Callable[[str, float], float]
# What an agent that answers later makes longer.
OF_REPLY = ("turn.ttfa", "turn.first_sound", "turn.reply_text", "turn.dead_air")


@functools.cache
def recorded() -> tuple[CallSamples, ...]:
    """The recorded calls."""
    return tuple(read_baseline(RECORDED).calls)


def unchanged(metric: str, value: float) -> float:
    """The same agent."""
    del metric
    return value


def later(*, by_ms: float = 0.0, by_share: float = 0.0) -> Change:
    """An agent that answers later."""
    return lambda metric, value: value * (1 + by_share) + by_ms if metric in OF_REPLY else value


def at_speed(factor: float) -> Change:
    """The same agent on a machine or network on which all times are longer by this factor."""
    return lambda metric, value: value * factor if METRICS[metric].unit == "ms" else value


def draw(
    rng: np.random.Generator,
    count: int,
    change: Change | Sequence[Change] = unchanged,
    *,
    in_blocks: bool = False,
    pool: Sequence[CallSamples] | None = None,
) -> list[CallSamples]:
    """Draws calls with replacement, and changes their values.

    Args:
        rng: The source of randomness.
        count: How many calls.
        change: One change for all calls, or one for each.
        in_blocks: Whether the n-th call of each side belongs to the n-th block.
        pool: The calls to draw from; by default the recorded ones.
    """
    pool = recorded() if pool is None else pool
    changes = [change] * count if callable(change) else change
    return [
        CallSamples.model_construct(
            call=f"{number:04}",
            scenario=pool[place].scenario,
            started="",
            block=number if in_blocks else None,
            samples=_changed(pool[place], changes[number]),
        )
        for number, place in enumerate(rng.integers(len(pool), size=count))
    ]


def _changed(call: CallSamples, change: Change) -> dict[str, dict[int, Cell]]:
    if change is unchanged:
        return call.samples
    return {
        metric: {turn: changed(cell, functools.partial(change, metric)) for turn, cell in turns.items()}
        for metric, turns in call.samples.items()
    }


def changed(cell: Cell, change: Callable[[float], float]) -> Cell:
    """A cell with a changed value."""
    match cell:
        case Several(mean=mean, of=of):
            return Several.model_construct(mean=change(mean), of=of)
        case AtLeast(at_least=bound):
            return AtLeast.model_construct(at_least=change(bound))
        case _:
            return change(cell)


def day_of(rng: np.random.Generator, count: int, *, drift: float) -> list[Change]:
    """The speed of a machine during `count` calls, at some time of a day in which it changes by `drift`.

    It goes up and down once in a day of ten times as many calls.
    """
    phase = rng.random()
    speeds = 1 + drift * (1 + np.sin(2 * np.pi * (phase + np.arange(count) / (10 * count)))) / 2
    return [at_speed(float(speed)) for speed in speeds]
