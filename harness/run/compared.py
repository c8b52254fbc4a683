"""What a run is compared with, as users name it: a baseline, or another version that is called in turns with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from harness.call.engines.make import EngineName
from harness.compare.effects import read_smallest
from harness.errors import UsageError
from harness.record.comparison import ComparisonSettings
from harness.run.baselines import Against, find_baseline
from harness.run.other_version import OtherVersion, check_same_scenarios, name_of
from harness.run.pacing import Pace
from harness.run.reading import AGAINST_SET, make_request, read_scenarios, read_targets
from harness.run.request import Request
from harness.scenario.load import parse_set
from harness.target.choose import check_agent
from harness.target.target import Target


@dataclass(frozen=True)
class ComparedWith:
    """The options of a comparison, as they are given.

    Attributes:
        baseline: --baseline.
        target: --against.
        agent: --against-agent.
        sets: --against-set.
        smallest_effect: --smallest-effect.
    """

    baseline: str | None = None
    target: str | None = None
    agent: str | None = None
    sets: Sequence[str] = ()
    smallest_effect: Sequence[str] = ()

    @property
    def in_turns(self) -> bool:
        """Whether two versions are called in turns."""
        return self.target is not None or self.agent is not None or bool(self.sets)

    @property
    def overrides(self) -> dict[str, str]:
        """What --against-set sets, by key.

        Raises:
            UsageError: One cannot be read.
        """
        return dict(parse_set(text, AGAINST_SET) for text in self.sets)

    def check(self, *, until_decided: bool) -> None:
        """Checks that the options fit together.

        Args:
            until_decided: Whether it is `--repeat auto`.

        Raises:
            UsageError: They do not.
        """
        check_agent(self.agent, "--against-agent")
        if self.baseline is not None and self.in_turns:
            raise UsageError("--baseline and --against cannot be combined", hint="compare with one of them")
        if self.baseline is not None or self.in_turns:
            return
        for option, given in (("--smallest-effect", self.smallest_effect), ("--repeat auto", until_decided)):
            if given:
                raise UsageError(
                    f"{option} needs --baseline or --against", hint="add one of them, or remove the option"
                )

    def read_how(self) -> ComparisonSettings:
        """Parses --smallest-effect.

        Raises:
            UsageError: It is not valid.
        """
        return ComparisonSettings(smallest=read_smallest(self.smallest_effect))

    def read_baseline(self) -> Against | None:
        """Reads the baseline; None if there is none.

        Raises:
            UsageError: It cannot be read.
        """
        if self.baseline is None:
            return None
        return Against(name=self.baseline, baseline=find_baseline(self.baseline), how=self.read_how())


class PlansPace(Protocol):
    """`plan_pace` with the options of the pace filled in."""

    def __call__(self, *, scenarios: int, versions: int) -> Pace:
        """See `plan_pace`."""


def read_request(
    paths: Sequence[Path],
    compared: ComparedWith,
    *,
    pace: PlansPace,
    until_decided: bool,
    target: str | None,
    warn: Callable[[str], None],
    sets: Sequence[str] | None,
    only: str | None = None,
    agent: str | None,
    engine: EngineName,
    thresholds: Sequence[str] | None,
    seed: int | None,
) -> tuple[Request, Pace]:
    """Reads and checks all that `voice-harness run` and `make_run` have in common, before any call.

    Args:
        paths: Files, folders, or the names of shipped scenarios.
        compared: What the run is compared with.
        pace: Plans when calls start.
        until_decided: Whether it is `--repeat auto`.
        target: The value of --target.
        warn: Prints warnings and notes.
        sets: The values of --set.
        only: The value of -k.
        agent: The value of --agent.
        engine: The media engine.
        thresholds: The values of --threshold.
        seed: The value of --seed.

    Raises:
        HarnessError: Nothing could be run: a scenario, the target or the baseline cannot be used.
    """
    compared.check(until_decided=until_decided)
    against = compared.read_baseline()
    scenarios = read_scenarios(paths, sets, only)
    planned = pace(scenarios=len(scenarios), versions=2 if compared.in_turns else 1)
    own, *others = read_targets(target, compared.target, warn=warn)
    request = make_request(
        scenarios, own, several="suite", agent=agent, engine=engine, thresholds=thresholds, seed=seed
    )
    if not compared.in_turns:
        return replace(request, against=against), planned
    other = next(iter(others), None)
    # The other version has the run's agent too, unless its target or --against-set names one.
    names_own = (other is not None and other.agent is not None) or "agent" in compared.overrides
    named = compared.agent or (None if names_own else agent)
    version = read_other_version(compared, own=own, target=other, agent=named, paths=paths, sets=sets, only=only)
    check_same_scenarios(scenarios, version.scenarios)
    return replace(request, other=version), planned


def read_other_version(
    compared: ComparedWith,
    *,
    own: Target,
    target: Target | None,
    agent: str | None,
    paths: Sequence[Path],
    sets: Sequence[str] | None,
    only: str | None,
) -> OtherVersion:
    """Reads the version to call in turns with the run's own.

    Args:
        compared: What the run is compared with.
        own: The run's target.
        target: The value of --against, read; None for the run's own.
        agent: The agent to call; None for the scenario's or the target's.
        paths: See `read_scenarios`.
        sets: See `read_scenarios`.
        only: The value of -k.

    Raises:
        UsageError: A scenario is invalid with --against-set.
    """
    overrides = compared.overrides
    where = own if target is None else target
    return OtherVersion(
        name=name_of(where, own, compared.agent, overrides) or f"{where.name} again",
        target=where,
        agent=agent,
        scenarios=read_scenarios(paths, sets, only, more_sets=compared.sets),
        overrides=overrides,
        how=compared.read_how(),
    )
