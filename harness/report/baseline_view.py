"""A baseline in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from harness.compare.decide import decide
from harness.record.baseline import Baseline
from harness.record.comparison import Compared
from harness.report.comparison_rows import mean_of
from harness.text.counted import counted
from harness.text.plain_text import one_line


def baseline_lines(baseline: Baseline) -> Iterator[RenderableType]:
    """Yields lines and tables that show a baseline."""
    from rich import box
    from rich.table import Table

    testbed = baseline.testbed
    yield f"run {one_line(baseline.run)} of {baseline.started}, saved {baseline.saved}"
    yield f"target {one_line(baseline.target)}, agent {one_line(baseline.agent)}"
    calibration = "not calibrated" if testbed.calibration is None else f"calibrated {testbed.calibration.made[:10]}"
    yield f"machine {one_line(testbed.cpu) or 'not known'}, {testbed.cores} cores; engine {testbed.engine}"
    yield f"voice-harness {testbed.harness_version}, definitions {testbed.definitions}; {calibration}"
    for each in baseline.accepted:
        yield f"accepted {each.at[:10]} by {one_line(each.by)}: {one_line(each.reason)} ({one_line(each.instead_of)})"
        for regression in each.regressions:
            yield f"    {one_line(regression)}"
    # Compared with itself: the same reduction to one number per call as in every comparison.
    compared = [one for one in decide(baseline.calls, baseline.calls).compared if one.turn is None]
    for scenario in baseline.scenarios:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(one_line(scenario), no_wrap=True)
        for name in ("mean", "calls", "samples"):
            table.add_column(name, justify="right", no_wrap=True)
        for one in compared:
            if one.scenario == scenario:
                table.add_row(*_cells(one))
        yield table
    yield counted(len(baseline.calls), "call")


def _cells(one: Compared) -> tuple[str, str, str, str]:
    return one.metric, mean_of(one, one.baseline), str(one.baseline.calls), str(one.baseline.samples)
