"""Baselines on disk: found by name, kept with a run that is compared with one, and made from runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.caller.prepare import Prepared
from harness.compare.candidate import Candidate, as_baseline, in_turns, of_baseline, of_run
from harness.compare.comparable import check_comparable
from harness.compare.compare import compare
from harness.compare.scripts import identity_of
from harness.errors import EXIT_INFRASTRUCTURE, EXIT_UNFIT, ConfigError, Place
from harness.record.baseline import Accepted, Baseline, path_of_baseline, read_baseline
from harness.record.comparison import Comparison, ComparisonSettings
from harness.record.result import DEFINITIONS, CallResult
from harness.record.run_directory import BASELINE_FILE, RUN_FILE, RunDirectory, read_run
from harness.record.settings import BaselineSettings, RunSettings

# Exit codes of runs that nothing can be compared with, and what to do.
NO_STANDARD = {
    EXIT_UNFIT: ("this run was not fit to measure", "make the run again on a quieter or larger machine"),
    EXIT_INFRASTRUCTURE: ("this run failed for the infrastructure", "make the run again once that works"),
}


@dataclass(frozen=True)
class Against:
    """The baseline that a run is to be compared with.

    Attributes:
        name: Its name or path, as the user wrote it.
        baseline: Its content.
        how: How the run is compared.
    """

    name: str
    baseline: Baseline
    how: ComparisonSettings = field(default_factory=ComparisonSettings)

    def settings(self) -> BaselineSettings:
        """Returns what run.json records of it."""
        return BaselineSettings(name=self.name, how=self.how)

    def check(self, scenarios: Sequence[Prepared]) -> None:
        """Checks, before any call, that a run of these scenarios can be compared with it.

        Raises:
            ConfigError: It cannot.
        """
        known = {prepared.loaded.name: identity_of(prepared.loaded.recorded()) for prepared in scenarios}
        check_comparable(of_baseline(self.name, self.baseline), definitions=DEFINITIONS, scenarios=known)


def find_candidate(name: str) -> Candidate:
    """Returns what `compare` and `--baseline` accept: a name under `reports/baselines/`, a file, or a run directory.

    Raises:
        ConfigError: It is none of them, or cannot be read.
    """
    folder = Path(name)
    if (folder / RUN_FILE).exists():
        return _usable_run(folder, name=name)
    if folder.is_dir() and not path_of_baseline(name).is_file():
        raise ConfigError(f"this is neither a baseline nor a run: it has no {RUN_FILE}", where=Place(folder))
    return of_baseline(name, read_baseline(path_of_baseline(name)))


def find_baseline(name: str) -> Baseline:
    """Returns the baseline of that name, path or run directory; see `find_candidate`.

    Raises:
        ConfigError: There is none, or it cannot be read.
    """
    candidate = find_candidate(name)
    if (Path(name) / RUN_FILE).exists():
        return as_baseline(candidate, saved=candidate.started)
    return read_baseline(path_of_baseline(name))


def run_candidate(folder: Path) -> Candidate:
    """Reads a run as one side of a comparison.

    Raises:
        ConfigError: It cannot be read.
    """
    run = read_run(folder)
    return of_run(run.settings, run.calls, name=str(folder))


def new_baseline(folder: Path, *, saved: str, accepted: Sequence[Accepted] = ()) -> Baseline:
    """Makes a baseline from a run.

    Args:
        folder: The run directory.
        saved: The present time, UTC.
        accepted: The changes that were accepted, oldest first.

    Raises:
        ConfigError: The run cannot be read, or cannot be one (`_usable_run`).
    """
    return as_baseline(_usable_run(folder), saved=saved, accepted=accepted)


def _usable_run(folder: Path, *, name: str | None = None) -> Candidate:
    """Reads a run to compare others with.

    Raises:
        ConfigError: The run cannot be read, has no calls, is not finished, was not fit to measure, or failed for the
            infrastructure. What it measured is no standard then, and any later run would look better.
    """
    run = read_run(folder)
    candidate = of_run(run.settings, run.calls, name=name)
    where = Place(folder)
    if not any(call.samples for call in candidate.calls):
        raise ConfigError("nothing was measured in this run", where=where, hint="name a run with calls")
    if run.settings.ending is None:
        raise ConfigError("this run is not finished, or was killed", where=where, hint="name a finished run")
    summary = RunDirectory(folder).read_summary()
    if summary is None or summary.exit_code not in NO_STANDARD:
        return candidate
    what, hint = NO_STANDARD[summary.exit_code]
    raise ConfigError(f"{what}: {summary.reasons[0].what}", where=where, hint=hint)


def doubt_of(folder: Path) -> str:
    """What to say of a run that is made a baseline though it did not pass; empty if it did."""
    summary = RunDirectory(folder).read_summary()
    if summary is None or not summary.exit_code:
        return ""
    return f"this run did not pass (exit code {summary.exit_code}): {summary.reasons[0].what}"


def compared_with_own(directory: RunDirectory, settings: RunSettings, calls: Sequence[CallResult]) -> Comparison | None:
    """Compares a run with the version that it called in turns, or with the baseline that its directory has a copy of.

    Returns None if it was to be compared with none.

    Raises:
        ConfigError: The copy is missing or damaged, or does not compare.
    """
    if settings.in_turns is not None:
        return compare(*in_turns(settings, calls), settings=settings.in_turns.how, look=settings.look)
    if settings.baseline is None:
        return None
    baseline = of_baseline(settings.baseline.name, read_baseline(directory.path / BASELINE_FILE))
    return compare(baseline, of_run(settings, calls), settings=settings.baseline.how, look=settings.look)
