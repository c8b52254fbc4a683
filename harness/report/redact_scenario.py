"""A scenario without its texts: what is said, typed and expected to be said. Its steps, limits and timeouts stay. Pure.

It works on a scenario as `run.json` stores it. The result is a scenario again, so that a redacted run can be judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel

from harness.scenario.model import Scenario

REDACTED = "[redacted]"
# Keys of the scenario itself whose values stay.
_WHOLE = ("name", "tags", "agent", "thresholds", "timeouts")
# Keys at any depth whose texts are times, ratios or numbers of calls.
_LIMITS = frozenset(
    ("within", "ttfa", "echo", "ends_call", "wer", "stops_within", "agent_speaks", "wait", "barge_in", "limit", "pass")
)
# The overrides of the session (the prompt), and the arguments of a tool, whose keys are texts too.
_EMPTIED = ("session", "arguments")


def redacted_scenario(model: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the scenario with `[redacted]` in place of its texts."""
    return {key: value if key in _WHOLE else _redacted(key, value) for key, value in model.items() if key in _keys()}


def _redacted(key: str, value: Any) -> Any:
    match value:
        case str():
            return value if key in _LIMITS or not value else REDACTED
        case Mapping():
            inner = {} if key in _EMPTIED else value
            return {name: _redacted(name, each) for name, each in inner.items() if name in _keys()}
        case list():
            return [_redacted(key, each) for each in value]
        case _:
            return value


@cache
def _keys() -> frozenset[str]:
    """All keys that a scenario may have; the others are texts."""
    found: set[str] = set()
    todo: list[Any] = [Scenario]
    seen: set[type[BaseModel]] = set()
    while todo:
        each = todo.pop()
        todo += get_args(each)
        if isinstance(each, type) and issubclass(each, BaseModel) and each not in seen:
            seen.add(each)
            for name, field in each.model_fields.items():
                found |= {name, *_alias(field.validation_alias), *_alias(field.alias)}
                todo.append(field.annotation)
    return frozenset(found)


def _alias(alias: object) -> tuple[str, ...]:
    if isinstance(alias, AliasChoices):
        return tuple(choice for choice in alias.choices if isinstance(choice, str))
    return (alias,) if isinstance(alias, str) else ()
