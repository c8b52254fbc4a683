"""The rules: one registration each, with the contract's sentence, the evidence it needs, and a pure judgement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.contract.evidence import SERVICES, Evidence, Exchange

Outcome = Literal["met", "broken", "not_tried", "advice"]
Level = Literal["rule", "advice"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a rule.

    Attributes:
        outcome: `broken` only of a rule, `advice` only of what the contract does not say.
        why: What was found, or why it was not tried.
        sent: What was sent; not masked.
        came: What came; not masked.
    """

    outcome: Outcome
    why: str = ""
    sent: str = ""
    came: str = ""


Judge = Callable[[Evidence], Judged]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, or a piece of advice.

    Attributes:
        id: Its name, such as `session.key.missing`.
        section: The section of the contract.
        sentence: What must hold.
        level: `rule`, or `advice`, which breaks nothing.
        needs: The requests without whose answers it is not tried.
        judge: Judges it; called only if all that it needs is there.
    """

    id: str
    section: int
    sentence: str
    level: Level
    needs: tuple[str, ...]
    judge: Judge

    def judged(self, evidence: Evidence) -> Judged:
        """The outcome for this evidence."""
        group = self.id.partition(".")[0]
        if group in SERVICES and group not in evidence.urls:
            return not_tried(evidence.why_absent(group))
        for probe in self.needs:
            if probe not in evidence.exchanges:
                return not_tried(evidence.why_absent(probe))
        found = self.judge(evidence)
        if found.outcome == "broken" and self.level == "advice":
            return Judged("advice", found.why, found.sent, found.came)
        return found


RULES: dict[str, Rule] = {}


def register(
    name: str, section: int, sentence: str, judge: Judge, *, needs: Sequence[str] = (), level: Level = "rule"
) -> None:
    """Adds a rule.

    Raises:
        ValueError: There is one of that name.
    """
    if name in RULES:
        raise ValueError(f"there are two rules {name}")
    RULES[name] = Rule(name, section, sentence, level, tuple(needs), judge)


def rule(
    name: str, section: int, sentence: str, *, needs: Sequence[str] = (), level: Level = "rule"
) -> Callable[[Judge], Judge]:
    """Registers the decorated judgement; see `Rule`."""

    def add(judge: Judge) -> Judge:
        register(name, section, sentence, judge, needs=needs, level=level)
        return judge

    return add


def met(why: str = "") -> Judged:
    """The rule holds."""
    return Judged("met", why)


def not_tried(why: str) -> Judged:
    """The rule could not be tried."""
    return Judged("not_tried", why)


def broken(why: str, exchange: Exchange | None = None, *, sent: str = "", came: str = "") -> Judged:
    """The rule does not hold; for advice this becomes `advice`."""
    if exchange is not None:
        sent, came = exchange.sent, exchange.came
    return Judged("broken", why, sent, came)


def by_request(probe: str, judge: Callable[[Exchange], Judged]) -> Judge:
    """A judgement of a single request's answer, which the rule must need."""
    return lambda evidence: judge(evidence.exchanges[probe])
