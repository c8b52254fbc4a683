"""`voice-harness baseline`: saves, lists, shows and accepts the baselines that runs are compared with."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import ConfigError, Place, UsageError

if TYPE_CHECKING:
    from harness.record.baseline import Accepted, Baseline

app = typer.Typer(help="Baselines that runs are compared with, in reports/baselines/.", no_args_is_help=True)

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
NameOption = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME|PATH", help="The baseline; by default named after the run's scenarios."),
]
_REASON_LIMIT = 500
_WHO = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "GIT_AUTHOR_NAME")


@app.command("save")
def save(run: RunArgument, name: NameOption = None) -> int:
    """Save a run as a new baseline. A baseline that exists is replaced by `accept`."""
    from harness.record.baseline import path_of_baseline, write_baseline
    from harness.run.baselines import new_baseline

    baseline = new_baseline(run, saved=_now())
    path = path_of_baseline(name or _name_of(baseline))
    if path.exists():
        hint = f'voice-harness baseline accept {run} --name {name or path.stem} --reason "…"'
        raise ConfigError("there is a baseline of this name", where=Place(path), hint=hint)
    write_baseline(path, baseline)
    _warn_of(run)
    typer.echo(f"{path}: {_counts(baseline)}")
    return 0


@app.command("accept")
def accept(
    run: RunArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the change is intended; it is kept.")],
    name: NameOption = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="WHO", help="Who accepts it; by default the user of CI or this machine."),
    ] = None,
) -> int:
    """Make a run the new baseline in place of the old one, with a reason that is kept in the file.

    What is worse than in the old baseline is kept with it. Scenarios or definitions may differ.
    """
    from harness.record.baseline import path_of_baseline, read_baseline, write_baseline
    from harness.run.baselines import new_baseline

    _check_line("--reason", reason)
    who = by if by is not None else _user()
    _check_line("--by", who)
    baseline = new_baseline(run, saved=_now())
    path = path_of_baseline(name or _name_of(baseline))
    old = read_baseline(path)
    accepted = _accepted(run, path, old, reason=reason.strip(), who=who.strip(), at=baseline.saved)
    write_baseline(path, baseline.model_copy(update={"accepted": [*old.accepted, accepted]}))
    _warn_of(run)
    for regression in accepted.regressions:
        typer.echo(f"accepted: {regression}")
    typer.echo(f"{path}: {_counts(baseline)}, instead of {old.run}")
    return 0


@app.command("list")
def show_all() -> int:
    """List the baselines: name, calls by scenario, agent, when its run started, and the definitions of its metrics."""
    from harness.record.baseline import FOLDER, read_baseline, saved_baselines
    from harness.text.plain_text import one_line

    paths = saved_baselines()
    if not paths:
        typer.echo(f"no baselines in {FOLDER}", err=True)
    for path in paths:
        try:
            baseline = read_baseline(path)
        except ConfigError as problem:
            typer.echo(f"{path.stem}  {one_line(problem.what)}")
            continue
        made = f"{baseline.started[:16].replace('T', ' ')}  definitions {baseline.testbed.definitions}"
        typer.echo(f"{path.stem}  {_counts(baseline)}  {one_line(baseline.target)}, {one_line(baseline.agent)}  {made}")
    return 0


@app.command("show")
def show(name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="The baseline.")]) -> int:
    """Show a baseline: where it was measured, what was accepted, and the mean of each metric."""
    from harness.record.baseline import path_of_baseline, read_baseline
    from harness.report.baseline_view import baseline_lines
    from harness.report.console import make_console

    console = make_console()
    for line in baseline_lines(read_baseline(path_of_baseline(name))):
        console.print(line)
    return 0


def _accepted(run: Path, path: Path, old: Baseline, *, reason: str, who: str, at: str) -> Accepted:
    """Returns what is kept of the acceptance; regressions are unknown if the two do not compare."""
    from harness.compare.candidate import of_baseline
    from harness.compare.compare import compare, reasons_of
    from harness.record.baseline import Accepted
    from harness.run.baselines import run_candidate

    new = run_candidate(run)
    try:
        regressions = [str(each.what) for each in reasons_of(compare(of_baseline(path.stem, old), new))]
    except ConfigError as problem:
        typer.echo(f"note: not compared with the old baseline: {problem.what}", err=True)
        regressions = []
    return Accepted(at=at, by=who, reason=reason, run=new.run, instead_of=old.run, regressions=regressions)


def _warn_of(run: Path) -> None:
    from harness.run.baselines import doubt_of

    if doubt := doubt_of(run):
        typer.echo(f"warning: {doubt}", err=True)


def _name_of(baseline: Baseline) -> str:
    names = list(baseline.scenarios)
    return names[0] if len(names) == 1 else "suite"


def _counts(baseline: Baseline) -> str:
    from harness.text.counted import counted

    return ", ".join(f"{counted(each.calls, 'call')} of {name}" for name, each in sorted(baseline.scenarios.items()))


def _now() -> str:
    from harness.clock import SystemClock

    return SystemClock().utc().isoformat(timespec="seconds").replace("+00:00", "Z")


def _user() -> str:
    named = next((os.environ[name] for name in _WHO if os.environ.get(name)), "")
    try:
        return named or getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _check_line(option: str, text: str) -> None:
    if not text.strip() or not text.isprintable() or len(text) > _REASON_LIMIT:
        raise UsageError(f"{option} must be one line of 1 to {_REASON_LIMIT} characters")
