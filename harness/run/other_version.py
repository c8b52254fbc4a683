"""The other version that a run calls in turns with its own, to compare the two (`run --against`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from harness.caller.prepare import Prepared
from harness.compare.scripts import identity_of
from harness.errors import UsageError
from harness.record.comparison import ComparisonSettings
from harness.record.settings import InTurnsSettings
from harness.scenario.load import LoadedScenario
from harness.secret import without_secrets
from harness.target.target import Target
from harness.text.plain_text import clipped, one_line

_VALUE_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class OtherVersion:
    """The version to compare with.

    Attributes:
        name: What reports call it: in what it differs, such as `agent v1`.
        target: Its target.
        agent: Its agent; None for the scenario's or the target's.
        scenarios: The run's scenarios, with what `--against-set` changes.
        overrides: What `--against-set` sets, by key.
        how: How the two are compared.
    """

    name: str
    target: Target
    agent: str | None
    scenarios: Sequence[LoadedScenario]
    overrides: dict[str, str] = field(default_factory=dict)
    how: ComparisonSettings = field(default_factory=ComparisonSettings)

    def settings(self, scenarios: Sequence[Prepared]) -> InTurnsSettings:
        """Returns what run.json records of it.

        Args:
            scenarios: Its prepared scenarios.
        """
        agents = ", ".join(dict.fromkeys(prepared.agent for prepared in scenarios))
        found = InTurnsSettings(
            name=self.name, target=self.target.describe(), agent=agents, overrides=self.overrides, how=self.how
        )
        return InTurnsSettings.model_validate(without_secrets(found.model_dump(), (self.target.api_key,)))


def name_of(target: Target, own: Target, agent: str | None, overrides: dict[str, str]) -> str:
    """Returns what reports call a version: in what it differs from the run's own.

    Args:
        target: Its target.
        own: The run's target.
        agent: The agent that was named for it, if any.
        overrides: What was set for it.
    """
    parts = [target.name] if target != own else []
    parts += [f"agent {agent}"] if agent is not None else []
    parts += [f"{key}={clipped(one_line(value), _VALUE_SHOWN)}" for key, value in overrides.items()]
    return one_line(", ".join(parts))


def check_same_scenarios(own: Sequence[LoadedScenario], other: Sequence[LoadedScenario]) -> None:
    """Checks that two versions are called with scenarios of the same names, which say what is compared with what.

    Raises:
        UsageError: They are not: --against-set changed a name, or the tags by which -k selects.
    """
    if [loaded.name for loaded in own] != [loaded.name for loaded in other]:
        hint = "change what is sent with the session only, such as session.system_prompt"
        raise UsageError("the two versions have different scenarios", where="--against-set", hint=hint)


def is_same(own: Target, mine: Sequence[Prepared], other: Target, theirs: Sequence[Prepared]) -> bool:
    """Whether two versions are one: the same target, agents and scenarios.

    Args:
        own: The run's target.
        mine: The run's prepared scenarios.
        other: The target of the other version.
        theirs: Its prepared scenarios.
    """
    pairs = zip(mine, theirs, strict=True)
    return (own.kind, own.url, own.agents_file) == (other.kind, other.url, other.agents_file) and all(
        a.agent == b.agent and a.loaded.model == b.loaded.model for a, b in pairs
    )


def check_same_script(own: Sequence[Prepared], other: Sequence[Prepared]) -> None:
    """Checks that two versions are called with the same script and the same expectations.

    Raises:
        UsageError: They differ, so that a difference would not be one of the agents.
    """
    for mine, theirs in zip(own, other, strict=True):
        name = mine.loaded.name
        if identity_of(mine.loaded.recorded()) != identity_of(theirs.loaded.recorded()) or _said(mine) != _said(theirs):
            what = f"the two versions of {name} differ in what the caller does or expects"
            hint = "let --against-set change only what a session is created with (session.*)"
            raise UsageError(what, where="--against-set", hint=hint)


def _said(prepared: Prepared) -> list[tuple[str, str] | None]:
    return [None if each is None else (each.text, each.language) for each in prepared.speech]


def once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Returns a `say` that leaves out a line that it has said before: what both versions need is prepared twice."""
    seen: set[str] = set()

    def said(line: str) -> None:
        if line not in seen:
            seen.add(line)
            say(line)

    return said


def on_one_stack(own: Target, other: Target) -> Target:
    """Returns the other target as it is reached while `own` is: two embedded targets are one stack.

    Args:
        own: The run's target, with its address.
        other: The other version's target.

    Raises:
        UsageError: They are embedded stacks with different agents files.
    """
    if other.kind != "embedded" or own.kind != "embedded" or other.url is not None:
        return other
    if other.agents_file != own.agents_file:
        raise UsageError(
            f"{own.name} and {other.name} are two embedded stacks, and only one can run",
            where="--against",
            hint="put the agents of both in one agents file, and use --against-agent",
        )
    return replace(other, url=own.url, api_key=own.api_key)
