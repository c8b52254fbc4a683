"""`voice-harness report`: rebuilds all reports of a run from what was recorded, and prints it for other programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import JunitOption
from harness.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from harness.record.recorded_run import RecordedRun


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    call: Annotated[
        str | None, typer.Argument(metavar="CALL", help="With --trace: the call; by default the first that failed.")
    ] = None,
    remeasure: Annotated[
        bool, typer.Option("--remeasure", help="Measure again from timelines and recordings before judging.")
    ] = False,
    redact: Annotated[
        Path | None,
        typer.Option(
            "--redact",
            metavar="DIR",
            help="Write a copy without texts, prompts, timelines and sound to this new folder.",
        ),
    ] = None,
    junit: JunitOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the complete run as one JSON document (schema --report describes it).")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the run as Markdown, for a job summary or a pull request.")
    ] = False,
    report_url: Annotated[
        str | None,
        typer.Option("--report-url", metavar="URL", help="With --markdown: where report.html can be opened."),
    ] = None,
    annotations: Annotated[
        str | None,
        typer.Option("--annotations", metavar="github|gitlab", help="Print what failed, at its line in a scenario."),
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Write a call's trace, for ui.perfetto.dev; the other reports stay.")
    ] = False,
) -> int:
    """Judge a recorded run again and rebuild its reports, without making calls.

    With --redact, what is printed is that of the copy. Exit codes: as of run; with --trace 0.
    """
    _check(as_json, markdown, trace, annotations, report_url, call)
    if trace:
        if redact is not None:
            raise UsageError("--trace and --redact cannot be combined", hint="a trace holds what was said")
        from harness.record.run_directory import read_run
        from harness.report.trace_file import write_trace

        typer.echo(f"trace: {write_trace(read_run(run), call)} (open it at ui.perfetto.dev)")
        return EXIT_OK
    from harness.report.copies import check_copy, write_junit_copy
    from harness.run.finish import rebuilt

    check_copy(junit, "--junit")
    made = rebuilt(run, remeasure=remeasure)
    if redact is not None:
        from harness.run.redact import write_redacted

        made = write_redacted(made, redact)
    write_junit_copy(made.folder, junit)
    if as_json:
        from harness.report.published import render_json

        typer.echo(render_json(made), nl=False)
    elif markdown:
        from harness.report.markdown import render_markdown

        typer.echo(render_markdown(made, report_url=report_url), nl=False)
    elif annotations is not None:
        _print_annotations(made, annotations)
    else:
        from harness.report.console import make_console, print_summary

        if made.summary is not None:
            print_summary(make_console(), made.summary, made.calls, made.folder)
    return made.summary.exit_code if made.summary is not None else EXIT_OK


def _print_annotations(run: RecordedRun, form: str) -> None:
    from harness.report.annotations import checkout, github_lines, render_code_quality
    from harness.report.findings import findings

    found, root = findings(run), checkout(os.environ)
    if form == "gitlab":
        typer.echo(render_code_quality(found, root), nl=False)
    for line in github_lines(found, root) if form == "github" else ():
        typer.echo(line)


def _check(
    as_json: bool, markdown: bool, trace: bool, annotations: str | None, report_url: str | None, call: str | None
) -> None:
    """Checks that the options go together.

    Raises:
        UsageError: They do not.
    """
    given = (("--json", as_json), ("--markdown", markdown), ("--trace", trace), ("--annotations", bool(annotations)))
    asked = [name for name, is_given in given if is_given]
    if len(asked) > 1:
        raise UsageError(f"{asked[0]} and {asked[1]} cannot be combined", hint="run report once for each")
    if annotations not in (None, "github", "gitlab"):
        raise UsageError(f"--annotations must be github or gitlab (got {annotations!r})")
    if call is not None and not trace:
        hint = f"write it with the shell: {asked[0]} > {call}" if asked else "leave it out"
        raise UsageError(f"{call!r} names a call, which only --trace takes", hint=hint)
    if report_url is not None and not markdown:
        raise UsageError("--report-url needs --markdown")
    if report_url is not None and not report_url.startswith(("https://", "http://")):
        raise UsageError(f"--report-url must begin with https:// or http:// (got {report_url!r})")
