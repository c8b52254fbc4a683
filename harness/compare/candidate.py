"""One side of a comparison: what a run or a baseline gives, with all that is needed to tell whether they compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.compare.samples import call_samples
from harness.compare.scripts import identities
from harness.record.baseline import Accepted, Baseline, ScenarioIdentity, ScenarioOfBaseline
from harness.record.call_samples import CallSamples
from harness.record.comparison import Subject
from harness.record.result import DEFINITIONS, CallResult
from harness.record.settings import RunSettings
from harness.record.testbed import Testbed


@dataclass(frozen=True)
class Candidate:
    """One side of a comparison.

    Attributes:
        name: The name of the baseline or of the run.
        run: The run that the calls are from.
        started: When that run started.
        target: What was called.
        agent: The agent.
        testbed: What it was measured with.
        scenarios: Its scenarios by name.
        calls: Its calls.
    """

    name: str
    run: str
    started: str
    target: str
    agent: str
    testbed: Testbed
    scenarios: Mapping[str, ScenarioIdentity]
    calls: Sequence[CallSamples]

    def subject(self) -> Subject:
        """Returns what a comparison records of it."""
        return Subject(
            name=self.name,
            run=self.run,
            started=self.started,
            target=self.target,
            agent=self.agent,
            calls=len(self.calls),
            testbed=self.testbed,
        )


def of_run(settings: RunSettings, calls: Sequence[CallResult], *, name: str | None = None) -> Candidate:
    """Returns the side that a run is; if it called two versions in turns, only the one that is judged.

    Args:
        settings: Its run.json.
        calls: All of its calls.
        name: Its name; by default that of the run.
    """
    return _side(settings, calls, call_samples(calls), name=name)


def in_turns(settings: RunSettings, calls: Sequence[CallResult]) -> tuple[Candidate, Candidate]:
    """Returns the two sides of a run that called two versions in turns: the one to compare with, and the judged one.

    Raises:
        ValueError: It did not.
    """
    other = settings.in_turns
    if other is None:
        raise ValueError(f"{settings.run} called one version")
    run = _side(settings, calls, call_samples(calls, in_blocks=True))
    theirs = call_samples(calls, side="baseline", in_blocks=True)
    return replace(run, name=other.name, target=other.target, agent=other.agent, calls=theirs), run


def _side(
    settings: RunSettings, calls: Sequence[CallResult], samples: Sequence[CallSamples], *, name: str | None = None
) -> Candidate:
    return Candidate(
        name=settings.run if name is None else name,
        run=settings.run,
        started=settings.started,
        target=settings.target,
        agent=settings.agent,
        testbed=settings.testbed(min((call.definitions for call in calls), default=DEFINITIONS)),
        scenarios=identities(settings),
        calls=samples,
    )


def of_baseline(name: str, baseline: Baseline) -> Candidate:
    """Returns the side that a baseline is."""
    return Candidate(
        name=name,
        run=baseline.run,
        started=baseline.started,
        target=baseline.target,
        agent=baseline.agent,
        testbed=baseline.testbed,
        scenarios=baseline.scenarios,
        calls=baseline.calls,
    )


def as_baseline(candidate: Candidate, *, saved: str, accepted: Sequence[Accepted] = ()) -> Baseline:
    """Returns the baseline of a run's calls; scenarios without calls are left out.

    Args:
        candidate: The run.
        saved: When it is saved, UTC.
        accepted: The changes that were accepted, oldest first.
    """
    counts = {name: sum(call.scenario == name for call in candidate.calls) for name in candidate.scenarios}
    return Baseline(
        run=candidate.run,
        started=candidate.started,
        saved=saved,
        target=candidate.target,
        agent=candidate.agent,
        testbed=candidate.testbed,
        scenarios={
            name: ScenarioOfBaseline(script=identity.script, expected=identity.expected, calls=counts[name])
            for name, identity in candidate.scenarios.items()
            if counts[name]
        },
        accepted=list(accepted),
        calls=sorted(candidate.calls, key=lambda call: call.call),
    )
