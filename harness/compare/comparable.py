"""Whether two sides can be compared at all, and in what their testbeds differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.compare.candidate import Candidate
from harness.errors import ConfigError
from harness.record.baseline import ANEW, ScenarioIdentity
from harness.record.comparison import Difference
from harness.record.testbed import CalibratedError, Testbed

_JUDGED = ("calls.failed", "expectations.failed")
_OFFSET_MS = 5.0  # a difference of two calibrations that is more than their scatter


@dataclass(frozen=True)
class Limits:
    """What of two sides is not compared: pairs of scenario and metric, and notes for people."""

    left_out: frozenset[tuple[str, str]]
    notes: list[str]


def check_comparable(baseline: Candidate, *, definitions: int, scenarios: Mapping[str, ScenarioIdentity]) -> Limits:
    """Checks a baseline before calls are made, or a run after them.

    Args:
        baseline: The baseline.
        definitions: The version of the metric definitions of the run.
        scenarios: The scenarios of the run.

    Raises:
        ConfigError: The definitions differ, no scenario is the same, or one of them has another script.
    """
    theirs = baseline.testbed.definitions
    if theirs != definitions:
        what = f"its metrics have definitions {theirs}, and those of the run {definitions}: the numbers do not compare"
        raise ConfigError(what, where=baseline.name, hint=ANEW)
    both = [name for name in scenarios if name in baseline.scenarios]
    if not both:
        what = f"it is a baseline of {_names(baseline.scenarios)}, and the run has {_names(scenarios)}"
        raise ConfigError(what, where=baseline.name, hint="name a baseline of the same scenarios")
    changed = [name for name in both if scenarios[name].script != baseline.scenarios[name].script]
    if changed:
        what = f"the script of {_names(changed)} has changed since"
        raise ConfigError(what, where=baseline.name, hint=ANEW)
    notes = [f"{name} is not in the baseline, and not compared" for name in scenarios if name not in both]
    notes += [f"{name} is only in the baseline, and not compared" for name in baseline.scenarios if name not in both]
    left_out = set()
    for name in both:
        if scenarios[name].expected != baseline.scenarios[name].expected:
            left_out |= {(name, metric) for metric in _JUDGED}
            notes.append(f"{name} has other expectations than the baseline: {' and '.join(_JUDGED)} are not compared")
    return Limits(frozenset(left_out), notes)


def _names(names: Mapping[str, object] | list[str]) -> str:
    return ", ".join(names) or "no scenario"


def differences(baseline: Testbed, run: Testbed) -> list[Difference]:
    """Returns in what two testbeds differ, as far as it can change the numbers."""
    parts: dict[str, Callable[[Testbed], object]] = {
        "processor": lambda testbed: testbed.cpu,
        "cores": lambda testbed: testbed.cores,
        "platform": lambda testbed: testbed.platform,
        "engine": lambda testbed: testbed.engine,
        "harness version": lambda testbed: testbed.harness_version,
    }
    found = [
        Difference(what=what, baseline=_shown(part(baseline)), run=_shown(part(run)))
        for what, part in parts.items()
        if part(baseline) != part(run)
    ]
    if not _alike(baseline.calibration, run.calibration):
        sides = (_calibration(baseline.calibration), _calibration(run.calibration))
        found.append(Difference(what="calibration", baseline=sides[0], run=sides[1]))
    return found


def _shown(value: object) -> str:
    return "not known" if value in (None, "") else str(value)


def _alike(one: CalibratedError | None, other: CalibratedError | None) -> bool:
    """Whether both know the same error, or as little; a newer calibration with the same result is no difference."""
    if one is None or other is None:
        return one is other
    return one.offset_ms.keys() == other.offset_ms.keys() and all(
        abs(offset - other.offset_ms[kind]) <= _OFFSET_MS for kind, offset in one.offset_ms.items()
    )


def _calibration(calibration: CalibratedError | None) -> str:
    if calibration is None:
        return "none"
    offsets = ", ".join(f"{kind} {offset:+.1f} ms" for kind, offset in sorted(calibration.offset_ms.items()))
    return f"{calibration.made[:10]}: {offsets or 'not of this engine'}"
