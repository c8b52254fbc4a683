"""How far verdicts can be trusted: comparisons of sets of calls that are drawn, call by call, from recorded ones.

Each figure is of 400 comparisons. A false alarm is a comparison of an agent with itself in which *any* metric or turn
is called a regression. Found means that `turn.ttfa` over all turns is called a regression. The smallest effect that
matters is the default, 10 % and 50 ms.

Figures go to `reports/bench/latest.json` under "compare", and the table to `docs/ci.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from latest import record
from rich.console import Console
from rich.table import Table
from scipy import stats

from harness.compare.decide import Decision, decide
from harness.compare.intervals import of_means
from harness.compare.looks import planned_looks
from harness.record.comparison import Look
from tests.compare.drawn import Change, day_of, draw, later, unchanged

PARTS, PART = 8, 50
COMPARISONS = PARTS * PART
LOOKS = "same_looks_80"
DRIFT = 0.20
INTERVALS = 1_000
MOST = 80
DOCS = Path(__file__).parents[2] / "docs" / "ci.md"
Rng = np.random.Generator


def is_alarm(decision: Decision) -> bool:
    return any(one.verdict == "regression" for one in decision.compared)


def is_found(decision: Decision) -> bool:
    return any(
        one.verdict == "regression" and (one.metric, one.turn) == ("turn.ttfa", None) for one in decision.compared
    )


def independent(before: int, after: int, change: Change = unchanged) -> Callable[[Rng], Decision]:
    return lambda rng: decide(draw(rng, before), draw(rng, after, change))


def interleaved(count: int, change: Change = unchanged) -> Callable[[Rng], Decision]:
    """Both are called in turns while the machine's speed drifts."""

    def compared(rng: Rng) -> Decision:
        day = day_of(rng, count, drift=DRIFT)
        changed = [_both(speed, change) for speed in day]
        return decide(draw(rng, count, day, in_blocks=True), draw(rng, count, changed, in_blocks=True))

    return compared


def stored(count: int) -> Callable[[Rng], Decision]:
    """The baseline was recorded at another time of day."""
    return lambda rng: decide(
        draw(rng, count, day_of(rng, count, drift=DRIFT)), draw(rng, count, day_of(rng, count, drift=DRIFT))
    )


def looked_at(rng: Rng, change: Change = unchanged) -> tuple[bool, int]:
    """Calls until every metric is decided, at most `MOST`: whether any look alarmed, and the calls a side."""
    before, after = draw(rng, MOST), draw(rng, MOST, change)
    planned = planned_looks(MOST)
    for number, count in enumerate(planned, start=1):
        decision = decide(before[:count], after[:count], look=Look(number=number, planned=list(planned)))
        if is_alarm(decision) or decision.decided:
            return is_alarm(decision), count
    return False, MOST


def regressions_in(name: str, part: int) -> int:
    """How many comparisons of a part of a row are called a regression; each part has a seed of its own."""
    rng = np.random.default_rng([*name.encode(), part])
    if name == LOOKS:
        return sum(looked_at(rng)[0] for _ in range(PART))
    _, compared, counts = ROWS[name]
    return sum(counts(compared(rng)) for _ in range(PART))


def all_rates() -> dict[str, float]:
    """The rate of each row, computed by as many processes as there are cores, each with one thread."""
    names = (*ROWS, LOOKS)
    with pytest.MonkeyPatch.context() as patch:
        for library in ("OPENBLAS", "OMP", "MKL"):
            patch.setenv(f"{library}_NUM_THREADS", "1")
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            parts = {name: [pool.submit(regressions_in, name, part) for part in range(PARTS)] for name in names}
            return {name: sum(part.result() for part in each) / COMPARISONS for name, each in parts.items()}


def _both(first: Change, second: Change) -> Change:
    return lambda metric, value: second(metric, first(metric, value))


ROWS: dict[str, tuple[str, Callable[[Rng], Decision], Callable[[Decision], bool]]] = {
    "same_30": ("the same agent twice, 30 calls a side", independent(30, 30), is_alarm),
    "same_200": ("the same agent twice, 200 calls a side", independent(200, 200), is_alarm),
    "same_30_200": ("the same agent twice, a baseline of 30 calls against 200", independent(30, 200), is_alarm),
    "same_interleaved_100": (
        "the same agent twice in turns, 100 calls a side, on a machine that drifts by 20 %",
        interleaved(100),
        is_alarm,
    ),
    "same_stored_100": (
        "the same agent against a stored baseline, 100 calls a side, on a machine that drifts by 20 %",
        stored(100),
        is_alarm,
    ),
    "later_300ms_30": (
        "an agent that answers 300 ms later, 30 calls a side",
        independent(30, 30, later(by_ms=300)),
        is_found,
    ),
    "later_20_percent_200": (
        "an agent that answers 20 % later, 200 calls a side",
        independent(200, 200, later(by_share=0.2)),
        is_found,
    ),
    "later_20_percent_interleaved_100": (
        "an agent that answers 20 % later, in turns, 100 calls a side, on a machine that drifts by 20 %",
        interleaved(100, later(by_share=0.2)),
        is_found,
    ),
}


def test_false_alarms_and_power() -> None:
    rates = all_rates()
    record("compare", {"comparisons": COMPARISONS, "rates": rates})
    texts = {name: text for name, (text, _, _) in ROWS.items()}
    texts[LOOKS] = "the same agent twice, looked at after 10, 20, 40 and 80 calls a side"
    shown = Table(title=f"Verdicts of {COMPARISONS} comparisons")
    lines = ["| | called a regression | 95 % interval |", "|---|---|---|"]
    for column in ("what", "called a regression", "95 % interval"):
        shown.add_column(column)
    for name in sorted(rates, key=lambda name: not name.startswith("same")):
        interval = stats.binomtest(round(rates[name] * COMPARISONS), COMPARISONS).proportion_ci(method="wilson")
        cells = (texts[name], f"{100 * rates[name]:.1f} %", f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %")
        shown.add_row(*cells)
        lines.append(f"| {' | '.join(cells)} |")
    Console(width=140).print(shown)
    _write_table("\n".join(lines) + "\n")
    trusted = [name for name in rates if name.startswith("same") and name != "same_stored_100"]
    assert {name: rates[name] for name in trusted if rates[name] > 0.05} == {}
    assert rates["later_300ms_30"] >= 0.95
    assert rates["later_20_percent_200"] >= 0.90
    assert rates["same_stored_100"] > rates["same_interleaved_100"]


def test_intervals_of_means_cover_better_than_a_bootstrap() -> None:
    """Log-normal values (sigma 0.6) of two sides with the same mean; nominally 95 %."""
    rng = np.random.default_rng(1)
    covered = {}
    for count in (10, 30):
        before, after = rng.lognormal(0, 0.6, (2, INTERVALS, count))
        ours = of_means(before, after, 0.95)
        bootstrap = stats.bootstrap(
            (before, after),
            lambda first, second, axis: second.mean(axis) - first.mean(axis),
            axis=-1,
            n_resamples=999,
            rng=rng,
        ).confidence_interval
        covered[f"{count} calls"] = {
            name: float(np.mean((low <= 0) & (high >= 0)))
            for name, low, high in (("welch", ours.low, ours.high), ("bca", bootstrap.low, bootstrap.high))
        }
    Console().print(covered)
    record("compare", {"coverage": covered})
    assert all(each["welch"] > each["bca"] and each["welch"] >= 0.93 for each in covered.values())


def _write_table(table: str) -> None:
    """Puts the table into the documentation, between its two marks."""
    text = DOCS.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- table: trust in verdicts -->\n).*?(<!-- end of table -->\n)", re.DOTALL)
    assert marked.search(text)
    DOCS.write_text(marked.sub(lambda marks: f"{marks[1]}{table}{marks[2]}", text), encoding="utf-8")
