"""Checks before a run that it makes as many calls as its pass rates need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.errors import UsageError, raise_all
from harness.judge.parts import keys_in_file, label, limits_of
from harness.judge.pass_rates import needed_calls
from harness.scenario.load import LoadedScenario
from harness.scenario.pass_rate import KOfN
from harness.text.counted import counted


def check_enough_calls(scenarios: Sequence[LoadedScenario], planned: Mapping[str, int]) -> None:
    """Checks that each pass rate can be reached with the planned calls.

    Args:
        scenarios: The scenarios.
        planned: How many calls of each are planned.

    Raises:
        UsageError: One pass rate needs more calls; the error names it.
        SeveralErrors: Several need more.
    """
    raise_all([problem for loaded in scenarios for problem in _too_few(loaded, planned[loaded.name])])


def _too_few(loaded: LoadedScenario, planned: int) -> Iterator[UsageError]:
    for part, limit in limits_of(loaded.model).items():
        needed = needed_calls(limit)
        if planned >= needed:
            continue
        name = f"{loaded.name} {label(loaded.model, part)}".strip()
        least = "decided calls" if isinstance(limit, KOfN) else "calls, all of which pass"
        yield UsageError(
            f"pass {limit} of {name} needs at least {needed} {least}, but {counted(planned, 'call')} of "
            f"{loaded.name} {'is' if planned == 1 else 'are'} planned",
            where=loaded.place(*keys_in_file(part)),
            hint="make more calls (--repeat, --calls), or ask for less",
        )
