"""The plan of a calibration: stages of concurrent calls, each with its agents, delays and turns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.parsing.plain_words import nearest
from harness.record.calibration import Condition
from harness.scenario.load import LoadedScenario, examine

FIXED_MS = (300.0, 800.0, 1500.0, 3000.0)
RANDOM = {"uniform": ["200ms", "2500ms"]}
JOINS_LATE_BY = "1200ms"
END_SILENCE = "600ms"
# Properties of real agents that the plain one lacks: no participant kind, everything LiveKit's SDK does by default, and
# no packets at all in silence.
_SHAPES: dict[Condition, dict[str, Any]] = {
    "standard": {"kind": "standard"},
    "sdk_defaults": {"publish": {"dtx": True, "red": True}},
    "silent": {"publish": {"in_silence": "nothing"}},
}
_NOISE_DBFS: dict[Condition, float] = {"noise_-60": -60.0, "noise_-50": -50.0}
# Short utterances: a long one costs time, and only its end is measured.
FIXTURES = (
    "do-you-take-cards",
    "yes-please",
    "who-am-i-speaking-to",
    "do-you-have-oat-milk",
    "can-we-sit-outside",
    "thank-you",
    "do-you-have-parking",
    "how-much-is-a-coffee",
)


@dataclass(frozen=True, slots=True)
class Script:
    """Calls of one condition: the numbers of alternating spoken and typed turns, the delays, and the initial wait."""

    condition: Condition
    spoken: int
    typed: int
    delays: Sequence[Any]
    settle: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One run with `calls` concurrent calls; `repeat` times as many calls are made of each script."""

    name: str
    calls: int
    repeat: int
    scripts: Sequence[Script]


_MIXED = (*(f"{fixed:g}ms" for fixed in FIXED_MS), RANDOM)
_MOSTLY_RANDOM = (*_MIXED[:4], *[RANDOM] * 16)
_RANDOM_TOO = ("300ms", "800ms", "1500ms", *[RANDOM] * 3)
_SHORTER = ("300ms", "800ms", "1500ms", {"uniform": ["200ms", "1000ms"]})

# Few long calls: the question is how accurate concurrent calls are, not how connecting calls affect each other.
_AT_ONCE = (
    Script("clean", 24, 10, _MOSTLY_RANDOM, "3s"),
    Script("standard", 3, 10, _MOSTLY_RANDOM, "3s"),
    Script("sdk_defaults", 3, 10, _MOSTLY_RANDOM, "3s"),
)

FULL = (
    Stage(
        "one-at-a-time",
        calls=1,
        repeat=10,
        scripts=(
            Script("clean", 4, 4, _MIXED),
            Script("standard", 3, 4, _RANDOM_TOO),
            Script("sdk_defaults", 3, 4, _RANDOM_TOO),
            Script("silent", 3, 4, _RANDOM_TOO),
            Script("late_join", 3, 3, _SHORTER),
            Script("noise_-60", 3, 3, _SHORTER),
            Script("noise_-50", 3, 3, _SHORTER),
        ),
    ),
    Stage("five-at-once", calls=5, repeat=2, scripts=_AT_ONCE),
)
# At the socket, conditions matter less than the machine's load, so this engine is calibrated with many calls at once.
FULL_LIGHT = (
    *FULL[:1],
    Stage("five-at-once", calls=5, repeat=2, scripts=_AT_ONCE[1:]),
    *(
        Stage(f"{name}-at-once", calls=calls, repeat=1, scripts=(Script("clean", 16, 10, _MOSTLY_RANDOM, "3s"),))
        for name, calls in (("ten", 10), ("twenty-five", 25))
    ),
)
QUICK = (
    Stage("one-at-a-time", calls=1, repeat=3, scripts=(Script("clean", 3, 3, _MIXED),)),
    Stage("five-at-once", calls=5, repeat=1, scripts=(Script("clean", 4, 4, _MIXED, "3s"),)),
)


def stages_of(engine: str, *, quick: bool, conditions: Collection[str] = ()) -> Sequence[Stage]:
    """The stages of a calibration for an engine, with the scripts of these conditions only; of all if there are none.

    Raises:
        UsageError: A condition is in none of the stages.
    """
    stages = QUICK if quick else FULL_LIGHT if engine == "light" else FULL
    if not conditions:
        return stages
    known = list(dict.fromkeys(script.condition for stage in stages for script in stage.scripts))
    for condition in conditions:
        if condition not in known:
            alike = nearest(condition, known)
            what = f"{'--quick has' if quick else 'there is'} no condition {condition!r}"
            raise UsageError(
                what + (f"; did you mean {alike!r}?" if alike else ""),
                where="--condition",
                hint=f"use one of: {', '.join(known)}" + (", or remove --quick" if quick else ""),
            )
    chosen = (
        replace(stage, scripts=[script for script in stage.scripts if script.condition in conditions])
        for stage in stages
    )
    return [stage for stage in chosen if stage.scripts]


def agents_of(stage: Stage) -> dict[str, Any]:
    """The content of a stage's agents file: one truth agent for each script, named after its condition."""
    return {"agents": {script.condition: _agent(script) for script in stage.scripts}}


def _agent(script: Script) -> dict[str, Any]:
    agent: dict[str, Any] = {
        "prompt": "This is the reference sound.",
        "greeting": "This is the reference sound.",
        "kind": "truth",
        "ear": "none",
        "brain": "fixed",
        "reply_delay": {"mix": list(script.delays)},
    }
    if script.condition in _SHAPES:
        agent["shape"] = _SHAPES[script.condition]
    if script.condition == "late_join":
        agent |= {"faults": ["joins_late"], "joins_late_by": JOINS_LATE_BY}
    if script.condition in _NOISE_DBFS:
        agent["noise_dbfs"] = _NOISE_DBFS[script.condition]
    return agent


def scenario_of(script: Script, folder: Path) -> LoadedScenario:
    """The scenario of a script: spoken and typed turns alternate as long as there are both."""
    turns: list[dict[str, Any]] = [] if script.settle is None else [{"wait": script.settle}]
    for index in range(max(script.spoken, script.typed)):
        if index < script.spoken:
            turns.append({"say": FIXTURES[index % len(FIXTURES)]})
        if index < script.typed:
            turns.append({"type": f"Text number {index + 1}"})
    raw = {
        "name": script.condition,
        "agent": script.condition,
        "turns": turns,
        "timeouts": {"end_silence": END_SILENCE, "agent_join": "20s"},
    }
    return examine(raw, folder / script.condition, sets=(), env={}).valid()
