"""`voice-harness compare`: a statistical verdict on two runs, or on a run and a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import StrictOption
from harness.errors import EXIT_INFRASTRUCTURE

if TYPE_CHECKING:
    from harness.record.comparison import ComparisonSettings

BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="NAME|PATH",
        help="Compare with a baseline: a name under reports/baselines/, a file, or a run directory.",
    ),
]
AgainstOption = Annotated[
    str | None,
    typer.Option(
        "--against", metavar="TARGET", help="Call this target too, in turns with --target, and compare the two."
    ),
]
AgainstAgentOption = Annotated[
    str | None,
    typer.Option("--against-agent", metavar="ID", help="Call this agent too, in turns, and compare the two."),
]
AgainstSetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--against-set",
        metavar="KEY=VALUE",
        help="Call also with this set, as --set does, in turns, and compare the two.",
    ),
]
SmallestEffectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--smallest-effect",
        metavar="10%|50ms|5pp|3dB",
        help="The smallest differences that matter; a time must differ by both the share and the time.",
    ),
]


def compare(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of the run to judge.")],
    baseline: Annotated[
        str, typer.Argument(metavar="BASELINE", help="A name under reports/baselines/, a file, or a run directory.")
    ],
    smallest_effect: SmallestEffectOption = None,
    turns: Annotated[bool, typer.Option("--turns", help="Show every turn, also those without a difference.")] = False,
    strict: StrictOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> int:
    """Compare a run with a baseline or another run: regression, improvement, same, or not enough data.

    Exit codes: 0 no regression, 1 a regression, 2 they cannot be compared, 3 the run has no calls or failed for
    the infrastructure, 4 the run was not fit to measure.
    """
    from harness.compare.compare import compare as compare_candidates
    from harness.compare.compare import reasons_of
    from harness.judge.verdict import exit_code_of
    from harness.record.run_directory import RunDirectory
    from harness.report.comparison_table import print_comparison
    from harness.report.console import make_console
    from harness.run.baselines import NO_STANDARD, find_candidate, run_candidate

    settings = read_settings(smallest_effect)
    candidate = run_candidate(run)
    comparison = compare_candidates(find_candidate(baseline), candidate, settings=settings)
    console = make_console()
    if as_json:
        typer.echo(comparison.to_json(), nl=False)
    else:
        print_comparison(console, comparison, every_turn=turns)
    summary = RunDirectory(run).read_summary()
    codes = {reason.code for reason in reasons_of(comparison, strict=strict)}
    if not any(call.samples for call in candidate.calls):
        typer.echo("error: no call of this run was measured", err=True)
        codes.add(EXIT_INFRASTRUCTURE)
    if summary is not None and summary.exit_code in NO_STANDARD:
        what, _ = NO_STANDARD[summary.exit_code]
        typer.echo(f"error: {what}: {summary.reasons[0].what}", err=True)
        codes.add(summary.exit_code)
    return exit_code_of(codes)


def read_settings(smallest_effect: list[str] | None) -> ComparisonSettings:
    """Parses --smallest-effect.

    Raises:
        UsageError: It is not valid.
    """
    from harness.compare.effects import read_smallest
    from harness.record.comparison import ComparisonSettings

    return ComparisonSettings(smallest=read_smallest(smallest_effect or ()))
