"""A run without what callers and agents said: texts, prompts and sound are out, numbers, verdicts and kinds stay. Pure.

Of the models of a run's files, every number stays and every text is replaced, except in the fields listed in `RULES`.
So a text in a field that somebody adds later is replaced until it is listed here. What a field may hold follows from
its annotation; a value without one (`Any`, a dictionary with free keys) is emptied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from harness.failures import HINTS
from harness.judge.expectations import LATE, LATE_WORDS, NOT_EXERCISED
from harness.record.capacity import Answer, Capacity, Hold, Recovery
from harness.record.observed import Observed, ObservedQuery, ObservedStat
from harness.record.ran_out import RanOut
from harness.record.recorded_run import RecordedRun
from harness.record.result import CallResult, ExpectationResult, FailureSeen, Remeasured, TurnResult
from harness.record.self_fault import SelfFaultName, SelfFaultSeen
from harness.record.settings import (
    BaselineSettings,
    InTurnsSettings,
    MachineSettings,
    RunSettings,
    ScenarioSettings,
    SearchSettings,
    ThresholdSettings,
)
from harness.record.summary import Reason, ThresholdResult
from harness.record.unfit import Unfit
from harness.report.redact_scenario import REDACTED, redacted_scenario

_FIGURES = r"it (?:took|stopped after) \d+ ms|no (?:transcript|reply text) came"
_WORKER = ("number", "host", "pid", "vanished")
M = TypeVar("M", bound=BaseModel)
Rule = Callable[[Any], Any]


def redacted(run: RecordedRun, folder: Path) -> RecordedRun:
    """Returns the run without texts, prompts and recordings, in another folder, and without its summary.

    Args:
        run: The run, judged.
        folder: The folder of the copy.
    """
    return RecordedRun(
        folder,
        redacted_model(run.settings).model_copy(update={"redacted": True}),
        [redacted_model(call) for call in run.calls],
        capacity=None if run.capacity is None else redacted_model(run.capacity),
        observed=None if run.observed is None else redacted_model(run.observed),
    )


def redacted_model(model: M) -> M:
    """Returns a copy of a model of a run's files without what was said."""
    shown = model.model_dump(mode="json", exclude_unset=True)
    return type(model).model_validate(_of_model(type(model), shown))


# -- the fields whose text stays, or part of it -----------------------------------------------------------------------


def _as_it_is(value: Any) -> Any:
    return value


def _nothing(value: Any) -> None:
    del value


def _hidden(value: str) -> str:
    return REDACTED if value else ""


def _one_of(*allowed: str) -> Rule:
    return lambda value: value if value in allowed else _hidden(value)


def _matching(pattern: str) -> Rule:
    return lambda value: value if re.fullmatch(pattern, value, re.DOTALL) else _hidden(value)


def _limit(value: str) -> str:
    """A limit of numbers, or `true`; what a reply must contain is text."""
    return value if re.fullmatch(r"(true|[<>=!]*-?[\d.]+(ms|s|m|h|%)?([\d.]+(ms|s))?)", value) else _hidden(value)


def _cause(value: str) -> str:
    """Why a run did not pass, unless it may quote: the stack's last output, what a reply had to contain."""
    safe = r"interrupted(; \d+ running calls? cut)?|no call could start|every call was cut .*|the master of the load .*"
    own = r"\d+ of \d+ calls? could not start|harness\.disk: .*|calls lost by ourselves: .*"
    by = r"aborted after \d+ s by threshold .*"
    return value if re.fullmatch(f"{safe}|{own}|{by}", value) else _hidden(value)


def _free_of_expectations(value: str) -> str:
    return _hidden(value) if re.search(r"\bexpectation \w", value) else value


def _ran_out(value: str | None) -> str | None:
    if value is None:
        return None
    seen = RanOut.read(value)
    if seen.kind == "other":
        return REDACTED
    return str(replace(seen, detail=_hidden(seen.detail)))


def _self_faults(values: Sequence[str]) -> list[str]:
    faults = [SelfFaultSeen.read(value) for value in values]
    return [str(SelfFaultSeen(_one_of(*get_args(SelfFaultName))(each.name), _hidden(each.what))) for each in faults]


def _workers(values: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    return None if values is None else [{key: worker[key] for key in _WORKER if key in worker} for worker in values]


def _without_values(name: str) -> str:
    """The name of a version, without what was set for it: `agent v1, session.greeting=[redacted]`."""
    return re.sub(r"=.*", f"={REDACTED}", name, count=1, flags=re.DOTALL)


def _stay(model: type[BaseModel], *fields: str) -> dict[tuple[type[BaseModel], str], Rule]:
    return {(model, field): _as_it_is for field in fields}


RULES: Mapping[tuple[type[BaseModel], str], Rule] = {
    **_stay(RunSettings, "run", "started", "target", "agent", "engine", "record", "load", "calibration"),
    **_stay(RunSettings, "harness_version", "python", "platform", "packages"),
    (RunSettings, "command"): lambda words: words[:2],
    (RunSettings, "workers"): _workers,
    **_stay(ThresholdSettings, "metric", "limit", "where"),
    **_stay(ScenarioSettings, "path", "agent", "tags", "places"),
    (ScenarioSettings, "model"): redacted_scenario,
    **_stay(MachineSettings, "cpu"),
    **_stay(SearchSettings, "objectives"),
    **_stay(BaselineSettings, "name"),
    **_stay(InTurnsSettings, "target", "agent"),
    (InTurnsSettings, "name"): _without_values,
    (Reason, "what"): _cause,
    **_stay(CallResult, "call", "scenario", "tags", "target", "agent", "started", "host", "engine", "retry_of"),
    (CallResult, "self_faults"): _self_faults,
    (CallResult, "recording"): _nothing,
    **_stay(TurnResult, "language"),
    (TurnResult, "ran_out"): _ran_out,
    **_stay(ExpectationResult, "expect", "place"),
    (ExpectationResult, "limit"): _limit,
    (ExpectationResult, "why"): _matching("|".join([*map(re.escape, (LATE, LATE_WORDS, NOT_EXERCISED)), _FIGURES])),
    (FailureSeen, "hint"): _one_of(*HINTS.values()),
    (Unfit, "name"): _one_of(*get_args(SelfFaultName)),
    **_stay(Remeasured, "why"),
    **_stay(Capacity, "objectives", "turns_wanted"),
    **_stay(ThresholdResult, "metric", "limit", "why"),
    **_stay(Hold, "started", "failures", "call_ids"),
    (Hold, "why"): _free_of_expectations,
    (Answer, "words"): _free_of_expectations,
    **_stay(Recovery, "why"),
    # Names of queries are words of the user, as names of scenarios are; PromQL, labels and errors name machines.
    **_stay(Observed, "started"),
    **_stay(ObservedQuery, "name"),
    **_stay(ObservedStat, "query"),
}
"""The fields whose text stays, or the part of it that does."""

# Dictionaries of models whose keys stay: names of scenarios.
_KEYS_STAY = {(RunSettings, "scenarios")}


# -- all other fields -------------------------------------------------------------------------------------------------


def _of_model(model: type[BaseModel], shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _of_field(model, name, value) for name, value in shown.items()}


def _of_field(model: type[BaseModel], name: str, value: Any) -> Any:
    rule = RULES.get((model, name))
    if rule is not None:
        return rule(value)
    annotation = model.model_fields[name].annotation
    if (model, name) in _KEYS_STAY:
        return {key: _of_type(get_args(annotation)[1], each) for key, each in value.items()}
    return _of_type(annotation, value)


def _of_type(annotation: Any, value: Any) -> Any:
    """The value as its annotation allows it to stay; numbers always do."""
    if value is None or isinstance(value, bool | int | float):
        return value
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of_type(arguments[0], value)
    if origin in (Union, UnionType):
        return _of_type(_arm([each for each in arguments if each is not NoneType], value), value)
    if origin is Literal:
        return value if value in arguments else REDACTED
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(value, Mapping):
        return _of_model(annotation, value)
    if isinstance(value, Mapping):
        return {}
    if isinstance(value, list):
        if origin is tuple and arguments[-1] is not Ellipsis:
            return [_of_type(each, item) for each, item in zip(arguments, value, strict=True)]
        return [_of_type(arguments[0], item) for item in value] if arguments else []
    return _hidden(str(value))


def _arm(arms: Sequence[Any], value: Any) -> Any:
    """Which of the types in a union the value is of: a model by its keys, else the first."""
    models = [each for each in arms if isinstance(each, type) and issubclass(each, BaseModel)]
    if isinstance(value, Mapping):
        return next((each for each in models if set(value) <= set(each.model_fields)), Any)
    texts = [each for each in arms if get_origin(each) is Literal and value in get_args(each)]
    return next(iter([*texts, *arms]))
