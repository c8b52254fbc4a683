"""`voice-harness`: the command, its subcommands, and how errors are printed."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Annotated

import typer

from harness import __version__
from harness.cli import (
    baseline,
    calibrate,
    call,
    capacity,
    compare,
    contract,
    doctor,
    fixtures,
    init,
    load,
    measure,
    report,
    run,
    scenarios,
    stack,
)
from harness.cli.output import Output
from harness.errors import (
    EXIT_AGENT,
    EXIT_INFRASTRUCTURE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNFIT,
    EXIT_USAGE,
    HarnessError,
    Place,
    UsageError,
    each_of,
)
from harness.machine.open_files import take_all_allowed
from harness.secret import masked

app = typer.Typer(
    name="voice-harness",
    help="Calls a voice agent over LiveKit and measures how it behaves.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("call")(call.call)
app.command("run")(run.run)
app.command("load")(load.load)
app.command("capacity")(capacity.capacity)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("calibrate")(calibrate.calibrate)
app.command("measure")(measure.measure)
app.command("init")(init.init)
app.command("doctor")(doctor.doctor)
app.command("validate")(scenarios.validate)
app.command("schema")(scenarios.schema)
app.add_typer(baseline.app, name="baseline")
app.add_typer(stack.app, name="stack")
app.add_typer(fixtures.app, name="fixtures")
app.add_typer(contract.app, name="contract")


def _version(value: bool) -> None:
    if value:
        typer.echo(f"voice-harness {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _show: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def command() -> None:
    """Runs `main` as the process, and exits with its code whatever the SDK does.

    The SDK's native runtime sometimes aborts at interpreter shutdown, which would change the exit code that CI reads.
    """
    try:
        main()
    except SystemExit as end:
        if "livekit.rtc" not in sys.modules:
            raise
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else EXIT_UNFIT)


def main() -> None:
    """Runs the command line and exits with its code."""
    take_all_allowed()
    output = Output()
    try:
        code = app(standalone_mode=False, prog_name="voice-harness")
    except typer.Abort:
        code = EXIT_INTERRUPTED
    except typer.TyperException as problem:
        _tell_misuse(problem)
        code = EXIT_USAGE
    except HarnessError as problem:
        for each in each_of(problem) if isinstance(problem, UsageError) else (problem,):
            _tell(str(each))
            _annotate(each)
        code = problem.exit_code
    except KeyboardInterrupt:
        _tell("interrupted")
        code = EXIT_INTERRUPTED
    except Exception as problem:  # a bug must be distinct from all of the above  # noqa: BLE001
        _tell(f"a bug in voice-harness: {type(problem).__name__}: {problem}")
        _tell_traceback(problem)
        code = EXIT_UNFIT
    lost = output.problem()
    if lost is not None:
        _tell(f"the output could not be written: {lost}")
        code = EXIT_UNFIT if code in (None, EXIT_OK, EXIT_INFRASTRUCTURE, EXIT_AGENT) else code
    sys.exit(code if isinstance(code, int) else EXIT_OK)


def _tell_misuse(problem: typer.TyperException) -> None:
    """Prints what is wrong with the command line, or the help if nothing was given."""
    from harness.cli.misuse import told

    text = told(problem)
    if text is not None:
        _tell(text)
        return
    show = getattr(problem, "show", None)  # typer calls it too; its class is not public in typer
    if show is not None:
        show()
    else:
        _tell(str(problem))


def _tell(text: str) -> None:
    sys.stderr.write(masked(f"error: {text}\n"))


def _annotate(problem: HarnessError) -> None:
    """Shows an error in a file at its line, in a job of GitHub Actions."""
    place = problem.where
    if not isinstance(place, Place) or place.line is None:
        return
    from harness.report.annotations import checkout, github_lines, in_github
    from harness.report.findings import Finding

    if in_github(os.environ):
        message = problem.what + (f"\nhint: {problem.hint}" if problem.hint else "")
        for line in github_lines([Finding("error", "usage", "voice-harness", message, place)], checkout(os.environ)):
            sys.stdout.write(masked(f"{line}\n"))


def _tell_traceback(problem: Exception) -> None:
    import traceback

    sys.stderr.write(masked("".join(traceback.format_exception(problem))))
