"""Turns the options of `load` into a plan: chooses one of its four models and rejects contradictions."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import UsageError
from harness.load.order import STOP_TIMEOUT_S, LoadPlan
from harness.load.stages import parse_stages, steady
from harness.run.request import check_above_zero

MODELS = (
    "--stages 2m:20,5m:50,1m:0, --calls N (with --duration or --repeat), --rate PER_MINUTE --duration D, or --burst N"
)


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """The options as given, durations in seconds; None if an option was left out."""

    stages: str | None = None
    calls: int | None = None
    repeat: int | None = None
    rate_per_min: float | None = None
    duration_s: float | None = None
    burst: str | None = None
    warm_up_s: float | None = None
    stop_timeout_s: float | None = None
    canaries: int = 0


def plan_load(options: LoadOptions, *, engine: str, session_rate_per_min: float | None = None) -> LoadPlan:
    """Returns the plan for the options.

    Args:
        options: The options as given.
        engine: The engine of all calls but canaries.
        session_rate_per_min: The most sessions to create per minute; None for no limit.

    Raises:
        UsageError: An option is invalid, the options contradict each other, or they name no model.
    """
    _above_zero(options)
    always = {
        "warm_up_s": options.warm_up_s or 0.0,
        "stop_timeout_s": STOP_TIMEOUT_S if options.stop_timeout_s is None else options.stop_timeout_s,
        "canaries": options.canaries,
    }
    if options.stages is not None:
        _alone(options, "--stages", calls="--calls", repeat="--repeat", duration_s="--duration")
        stages = parse_stages(options.stages).stages
        plan = LoadPlan(stages=tuple((stage.lasts_s, stage.calls) for stage in stages), **always)
    elif options.burst is not None:
        _alone(options, "--burst", calls="--calls", repeat="--repeat", duration_s="--duration")
        plan = LoadPlan(bursts=_bursts(options.burst), **always)
    elif options.rate_per_min is not None:
        _alone(options, "--rate", repeat="--repeat")
        if options.duration_s is None:
            raise UsageError("--rate needs --duration", hint="for example, add --duration 5m")
        plan = LoadPlan(rate_per_min=options.rate_per_min, duration_s=options.duration_s, slots=options.calls, **always)
    elif options.calls is not None and options.duration_s is not None:
        _alone(options, "--duration", repeat="--repeat")
        held = steady(options.calls, options.duration_s).stages
        plan = LoadPlan(stages=tuple((stage.lasts_s, stage.calls) for stage in held), **always)
    elif options.calls is not None:
        plan = LoadPlan(slots=options.calls, repeat=options.repeat or 1, **always)
    else:
        raise UsageError("the number of calls is missing", where="load", hint=f"add one of {MODELS}")
    _check_session_rate(options.rate_per_min, session_rate_per_min)
    _check(plan, options, engine)
    return plan


def _alone(options: LoadOptions, option: str, **others: str) -> None:
    models = {"stages": "--stages", "burst": "--burst", "rate_per_min": "--rate"}
    for name, other in (models | others).items():
        if other != option and getattr(options, name) is not None:
            raise UsageError(f"{option} and {other} cannot be combined", hint="use one of " + MODELS)


def _bursts(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise UsageError(
            f"--burst must be one or more numbers of calls (got {text!r})", hint="write for example --burst 5,10,20"
        )
    return sizes


def _above_zero(options: LoadOptions) -> None:
    for name, value in (
        ("--calls", options.calls),
        ("--repeat", options.repeat),
        ("--rate", options.rate_per_min),
        ("--duration", options.duration_s),
    ):
        check_above_zero(name, value)
    if options.canaries < 0:
        raise UsageError(f"--canaries must be 0 or more (got {options.canaries})")


def _check_session_rate(rate: float | None, most: float | None) -> None:
    if rate is not None and most is not None and rate > most:
        raise UsageError(
            f"{rate:g} calls per minute cannot start with {most:g} sessions per minute: each call needs a session",
            where="--session-rate",
            hint=f"use --rate {most:g} or less, or raise --session-rate to {rate:g}",
        )


def _check(plan: LoadPlan, options: LoadOptions, engine: str) -> None:
    staged = plan.staged
    lasts_s = staged.lasts_s if staged is not None else plan.duration_s
    if plan.warm_up_s and lasts_s is not None and plan.warm_up_s >= lasts_s:
        raise UsageError(
            f"--warm-up must be shorter than the load, {lasts_s:g} s (got {plan.warm_up_s:g} s)",
            hint="use a shorter warm-up or a longer load",
        )
    if plan.warm_up_s and lasts_s is None:
        raise UsageError(
            "--warm-up needs a load with a duration",
            hint="use --stages, or --calls with --duration, or remove --warm-up",
        )
    if plan.canaries and engine == "sdk":
        raise UsageError(
            "--canaries has no effect with --engine sdk: all calls already use it",
            hint="use --engine light, or remove --canaries",
        )
    most = plan.most(1)
    if most is not None and plan.canaries > most:
        raise UsageError(
            f"--canaries must be at most {most}, the number of concurrent calls (got {plan.canaries})",
            hint="use fewer canaries, or more calls",
        )


def in_words(plan: LoadPlan, scenarios: int) -> str:
    """Describes the plan in words, such as `20 calls at once, 40 in all`."""
    staged = plan.staged
    if staged is not None:
        return f"up to {staged.most} calls at once, for {staged.lasts_s:g} s ({staged})"
    if plan.bursts is not None:
        return f"bursts of {', '.join(map(str, plan.bursts))} calls"
    if plan.rate_per_min is not None:
        cap = "" if plan.slots is None else f", at most {plan.slots} at once"
        return f"{plan.total(scenarios)} calls at {plan.rate_per_min:g} a minute{cap}"
    return f"{plan.slots} calls at once, {plan.total(scenarios)} in all"
