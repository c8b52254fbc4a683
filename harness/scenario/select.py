"""`-k EXPR`: chooses scenarios by name and tag, as pytest chooses tests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.errors import UsageError
from harness.scenario.load import LoadedScenario

_TOKEN = re.compile(r"\s*(?:(\()|(\))|([^\s()]+))")


def select(scenarios: Sequence[LoadedScenario], expression: str) -> list[LoadedScenario]:
    """The scenarios that match `expression`: words combined with `and`, `or`, `not` and brackets.

    A word matches if it occurs in the name or is a tag; case is ignored.

    Raises:
        UsageError: The expression is invalid, or nothing matches.
    """
    parsed = _Parser(expression)
    chosen = [scenario for scenario in scenarios if parsed.holds(scenario)]
    if not chosen:
        names = ", ".join(scenario.name for scenario in scenarios)
        raise UsageError(f"{expression!r} matches none of {names}", where="-k", hint="use part of a name, or a tag")
    return chosen


class _Parser:
    """Recursive descent: or → and → not → word."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = [match[0].strip() for match in _TOKEN.finditer(expression) if match[0].strip()]

    def holds(self, scenario: LoadedScenario) -> bool:
        self.at = 0
        self.scenario = scenario
        value = self._or()
        if self.at != len(self.tokens):
            raise self._unreadable()
        return value

    def _unreadable(self) -> UsageError:
        return UsageError(
            f"{self.expression!r} is not a valid expression", where="-k", hint="write for example 'smoke and not slow'"
        )

    def _take(self, token: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at].lower() == token:
            self.at += 1
            return True
        return False

    def _or(self) -> bool:
        value = self._and()
        while self._take("or"):
            value = self._and() or value
        return value

    def _and(self) -> bool:
        value = self._not()
        while self._take("and"):
            value = self._not() and value
        return value

    def _not(self) -> bool:
        if self._take("not"):
            return not self._not()
        if self._take("("):
            value = self._or()
            if not self._take(")"):
                raise self._unreadable()
            return value
        if self.at >= len(self.tokens) or self.tokens[self.at].lower() in ("and", "or", ")"):
            raise self._unreadable()
        word = self.tokens[self.at].lower()
        self.at += 1
        return word in self.scenario.name.lower() or word in (tag.lower() for tag in self.scenario.model.tags)
